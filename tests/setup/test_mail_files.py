import email
import email.policy
import re
from email.message import EmailMessage as Parsed
from pathlib import Path
from typing import cast

import pytest
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection, send_mail
from pytest_django.fixtures import Settings

BACKEND = "statuspage.notifications.transports.eml_files.EmlBackend"


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = BACKEND
    settings.MAIL_DIR = tmp_path / "data" / "mail"
    return cast(Path, settings.MAIL_DIR)


def send(subject: str = "Password reset") -> int:
    return send_mail(subject, "Grüße", "status@example.com", ["ann@example.com"])


def parsed(path: Path) -> Parsed:
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def test_a_mail_becomes_a_file_that_a_mail_program_opens(folder: Path) -> None:
    assert send() == 1
    (path,) = folder.iterdir()
    message = parsed(path)
    assert (message["Subject"], message["To"]) == ("Password reset", "ann@example.com")
    assert message.get_content().strip() == "Grüße"


def test_both_parts_of_a_mail_are_kept(folder: Path) -> None:
    message = EmailMultiAlternatives("Two", "plain", "a@example.com", ["b@example.com"])
    message.attach_alternative("<p>rich</p>", "text/html")
    get_connection(BACKEND).send_messages([message])
    assert [part.get_content_type() for part in parsed(next(folder.iterdir())).iter_parts()] == [
        "text/plain",
        "text/html",
    ]


def test_names_sort_by_time_are_unique_and_safe(folder: Path) -> None:
    subjects = [f"../../{number}\N{SNOWMAN}" for number in range(30)]
    for subject in subjects:
        send(subject)
    names = sorted(path.name for path in folder.iterdir())
    assert all(re.fullmatch(r"[0-9T.]+-[0-9a-f]{8}\.eml", name) for name in names)
    assert [parsed(folder / name)["Subject"] for name in names] == subjects


def test_only_the_owner_may_read_mails(folder: Path) -> None:
    send()
    assert (next(folder.iterdir()).stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_header_with_a_line_break_is_refused_and_leaves_nothing(folder: Path) -> None:
    with pytest.raises(BadHeaderError):
        send("Hello\nBcc: all@example.com")
    assert not list(folder.iterdir())
