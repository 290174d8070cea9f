"""One door for each danger: whoever else needs it goes through that module."""

import pytest

from tests.conventions.code import imports, sources

DOORS = {
    "markdown": {"incidents/text/markdown.py"},
    "nh3": {"incidents/text/markdown.py"},
    "PIL": {"incidents/images.py"},
    "smtplib": {"statuspage/notifications/mail_test.py", "statuspage/notifications/transports/smtp/connect.py"},
    "http.client": {"statuspage/common/outbound_http.py"},
    "ssl": {
        "statuspage/common/outbound_http.py",
        "statuspage/notifications/mail_test.py",
        "statuspage/notifications/transports/smtp/connection.py",
    },
    # The command line runs elsewhere: the only address that it asks is the one that its user set.
    "urllib.request": {"statuspage/api/cli/client.py"},
    "requests": set(),
    "httpx": set(),
    "pickle": set(),
    "django.utils.safestring.mark_safe": {"incidents/text/markdown.py", "statuspage/notifications/messages/email.py"},
}


@pytest.mark.parametrize("library", DOORS)
def test_a_dangerous_library_is_imported_by_its_door_alone(library: str) -> None:
    importers = {
        name
        for name, tree in sources().items()
        if any(module == library or module.startswith(f"{library}.") for module in imports(tree))
    }
    assert importers == DOORS[library]
