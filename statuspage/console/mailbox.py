"""The mails that were written as files because no mail server is set (statuspage.common.mail.EmlBackend)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from django.conf import settings
from django.core.paginator import Page, Paginator

PER_PAGE = 50
# Enough for every header that we write; the list needs no more of a file.
HEADER_BYTES = 16 * 1024
NAME = re.compile(r"(?P<time>\d{8}T\d{6}\.\d{6})-[0-9a-f]{8}\.eml", re.ASCII)


@dataclass(frozen=True)
class MailFile:
    """`is_account`: it carries a link that sets somebody's password."""

    name: str
    at: datetime
    to: str
    subject: str
    text: str
    is_account: bool


@dataclass(frozen=True)
class Drawer:
    """One screenful of mails, newest first."""

    listed: Page[str]
    mails: list[MailFile]


def drawer(number: str | None) -> Drawer:
    folder = Path(settings.MAIL_DIR)
    names = sorted((path.name for path in folder.glob("*.eml") if NAME.fullmatch(path.name)), reverse=True)
    listed = Paginator(names, PER_PAGE).get_page(number)
    found = (_read(name, limit=HEADER_BYTES) for name in listed.object_list)
    return Drawer(listed, [mail for mail in found if mail])


def mail_file(name: str) -> MailFile | None:
    return _read(name)


def source(name: str) -> bytes | None:
    """The file as it is. None for names that no mail can have, which keeps paths inside the folder."""
    if not NAME.fullmatch(name):
        return None
    try:
        return (Path(settings.MAIL_DIR) / name).read_bytes()
    except FileNotFoundError:
        return None


def _read(name: str, *, limit: int | None = None) -> MailFile | None:
    content = source(name)
    if content is None:
        return None
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(content[:limit])
    return MailFile(
        name=name,
        at=datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text="" if limit else _text(message),
        is_account=message["X-Candor-Kind"] == "account",
    )


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    return str(body.get_content()) if body else ""
