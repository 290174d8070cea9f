"""A {% load %} is an import: templates, too, know only what lies below them."""

import re

import pytest
from django.template.backends.django import get_installed_libraries

from tests.conventions.code import ROOT

# Lowest first.
LAYERS = [
    ["incidents"],
    ["reporting", "postmortem"],
    ["accounts"],
    ["subscribers"],
    ["notifications"],
    ["importers", "publishing"],
    ["public", "console", "api"],
]
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}
TEMPLATES = sorted(str(path.relative_to(ROOT / "templates")) for path in ROOT.glob("templates/*/**/*.*"))


def app_of(library: str) -> str:
    """Which of our apps a tag library belongs to; empty if it is not ours."""
    module = get_installed_libraries()[library]
    return module.removeprefix("statuspage.").split(".")[0] if module.startswith(("statuspage.", "incidents.")) else ""


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_loads_tags_of_its_own_app_or_of_one_below(template: str) -> None:
    text = (ROOT / "templates" / template).read_text(encoding="utf-8")
    libraries = {word for arguments in re.findall(r"\{%\s*load\s+([^%]*?)\s*%\}", text) for word in arguments.split()}
    home = template.split("/")[0].replace("account", "accounts")  # allauth names the folder
    apps = {app_of(library) for library in libraries} - {"", home}
    assert {app for app in apps if LEVELS[app] >= LEVELS[home]} == set()
