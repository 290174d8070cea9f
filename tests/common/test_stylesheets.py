from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import find, get_finders

from statuspage.public.stylesheets import NAME, PARTS, joined


def test_the_style_of_the_public_page_is_one_file_with_all_its_parts_in_order() -> None:
    path = find(NAME)
    assert isinstance(path, str)
    text = Path(path).read_text(encoding="utf-8")
    parts = [(settings.BASE_DIR / "static" / "css" / f"{part}.css").read_text(encoding="utf-8") for part in PARTS]
    assert text == "\n".join(parts)


def test_what_changed_in_between_is_joined_anew() -> None:
    joined().write_text("old", encoding="utf-8")
    assert joined().read_text(encoding="utf-8") != "old"


def test_it_is_collected_with_all_other_static_files() -> None:
    listed = {name for finder in get_finders() for name, _ in finder.list([])}
    assert {NAME, "css/forms.css"} <= listed
