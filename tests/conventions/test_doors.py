"""One door for each danger: whoever else needs it goes through that module."""

import pytest

from tests.conventions.code import imports, sources

DOORS = {
    "markdown": {"incidents/markup.py"},
    "nh3": {"incidents/markup.py"},
    "PIL": {"incidents/images.py"},
    "smtplib": {"statuspage/subscribers/mailtest.py", "statuspage/subscribers/transports/mail/connection.py"},
    # The supervisor asks its own web process whether it answers.
    "http.client": {"statuspage/common/http.py", "statuspage/supervisor.py"},
    "ssl": {
        "statuspage/common/http.py",
        "statuspage/subscribers/mailtest.py",
        "statuspage/subscribers/transports/mail/session.py",
    },
    # The command line runs elsewhere: the only address that it asks is the one that its user set.
    "urllib.request": {"statuspage/api/cli/client.py"},
    "requests": set(),
    "httpx": set(),
    "pickle": set(),
    "django.utils.safestring.mark_safe": {"incidents/markup.py", "statuspage/subscribers/letters.py"},
}


@pytest.mark.parametrize("library", DOORS)
def test_a_dangerous_library_is_imported_by_its_door_alone(library: str) -> None:
    importers = {
        name
        for name, tree in sources().items()
        if any(found == library or found.startswith(f"{library}.") for found in imports(tree))
    }
    assert importers == DOORS[library]
