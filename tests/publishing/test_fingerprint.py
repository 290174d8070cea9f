"""An upgrade that changes any source of a published byte renders all pages again."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings

from statuspage.publishing.fingerprint import SOURCES, fingerprint, fingerprint_of

SITE_URL = "https://status.example.com"
# One of each kind.
SHAPING_FILES = [
    "incidents/models/components.py",
    "incidents/text/markdown.py",
    "incidents/text/wording.py",
    "incidents/reporting/day_bars.py",
    "incidents/postmortem/outage_chart.py",
    "incidents/templatetags/candor.py",
    "statuspage/settings.py",
    "statuspage/urls.py",
    "statuspage/public/views.py",
    "statuspage/common/urls.py",
    "statuspage/reporting/charts.py",
    "statuspage/subscribers/urls.py",
    "statuspage/publishing/rendering.py",
    "templates/404.html",
    "templates/public/base.html",
    "templates/reporting/_service_level.html",
    "templates/postmortem/_summary.html",
    "static/css/public.css",
    "static/js/live.js",
    "static/icons/favicon.svg",
    "requirements.txt",
]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of everything that the fingerprint covers."""
    root = tmp_path_factory.mktemp("checkout")
    for source in SOURCES:
        original = settings.BASE_DIR / source
        if original.is_dir():
            shutil.copytree(original, root / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(original, root / source)
    return root


def test_a_copy_has_the_same_fingerprint(checkout: Path) -> None:
    assert fingerprint_of(checkout, settings.SITE_URL) == fingerprint()


@pytest.mark.parametrize("name", SHAPING_FILES)
def test_an_edit_of_any_kind_of_source_changes_the_fingerprint(checkout: Path, name: str) -> None:
    before, file = fingerprint_of(checkout, SITE_URL), checkout / name
    original = file.read_bytes()
    # One byte, and the same size.
    file.write_bytes(bytes([original[0] ^ 1]) + original[1:])
    assert fingerprint_of(checkout, SITE_URL) != before
    file.write_bytes(original)
    assert fingerprint_of(checkout, SITE_URL) == before


def test_new_removed_and_renamed_files_change_the_fingerprint(checkout: Path) -> None:
    before = fingerprint_of(checkout, SITE_URL)
    template = checkout / "templates/public/new.html"
    template.write_text("<p>New</p>")
    assert fingerprint_of(checkout, SITE_URL) != before
    template.unlink()
    old, renamed = checkout / "templates/404.html", checkout / "templates/405.html"
    old.rename(renamed)
    assert fingerprint_of(checkout, SITE_URL) != before
    renamed.rename(old)
    assert fingerprint_of(checkout, SITE_URL) == before


def test_another_address_changes_the_fingerprint_and_compiled_files_do_not(checkout: Path) -> None:
    before = fingerprint_of(checkout, SITE_URL)
    assert fingerprint_of(checkout, "https://status.example.org") != before
    (checkout / "incidents/actor.pyc").write_bytes(b"compiled")
    assert fingerprint_of(checkout, SITE_URL) == before
