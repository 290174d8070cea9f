"""Emails written to files because no mail server is configured (statuspage.notifications.transports.eml_files)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from pathlib import Path

from django.conf import settings
from django.core.paginator import Page, Paginator

PER_PAGE = 50
# How many of the newest files a search opens.
SEARCHED = 1_000
# The list reads only the headers; Candor writes none longer than this.
HEADER_BYTES = 16 * 1024
NAME = re.compile(r"(?P<time>\d{8}T\d{6}\.\d{6})-[0-9a-f]{8}\.eml", re.ASCII)


@dataclass(frozen=True)
class MailFile:
    """`is_account`: whether the email contains a link to set a password."""

    name: str
    at: datetime
    to: str
    subject: str
    text: str
    is_account: bool


@dataclass(frozen=True)
class MailFiles:
    """One page of the list, newest first. `is_partial`: whether older files were not searched."""

    listed: Page[str]
    mails: list[MailFile]
    is_partial: bool = False


def mail_files(page_number: str | None, search: str = "") -> MailFiles:
    """Return the files whose subject and recipient contain every word of `search`; all files without it."""
    folder = Path(settings.MAIL_DIR)
    names = sorted((path.name for path in folder.glob("*.eml") if NAME.fullmatch(path.name)), reverse=True)
    is_partial = bool(search) and len(names) > SEARCHED
    if search:
        names = [name for name in names[:SEARCHED] if _has(name, search.casefold().split())]
    listed = Paginator(names, PER_PAGE).get_page(page_number)
    emails = (_read(name, _headers(name)) for name in listed.object_list)
    return MailFiles(listed, [email for email in emails if email], is_partial)


def mail_file(name: str) -> MailFile | None:
    return _read(name, source(name))


def source(name: str, *, limit: int = -1) -> bytes | None:
    """Return the file, or its first `limit` bytes. Return None if the name is not that of an email file."""
    if not NAME.fullmatch(name):
        return None
    try:
        with (Path(settings.MAIL_DIR) / name).open("rb") as file:
            return file.read(limit)
    except FileNotFoundError:
        return None


def _headers(name: str) -> bytes | None:
    beginning = source(name, limit=HEADER_BYTES)
    return None if beginning is None else beginning.partition(b"\n\n")[0]


def _has(name: str, search: list[str]) -> bool:
    headers = _headers(name)
    if headers is None:
        return False
    # The newer policy decodes headers itself, but takes ten times as long.
    message = BytesHeaderParser().parsebytes(headers)
    text = " ".join(str(make_header(decode_header(message[name] or ""))) for name in ("To", "Subject")).casefold()
    return all(word in text for word in search)


def _read(name: str, content: bytes | None) -> MailFile | None:
    if content is None:
        return None
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
    return MailFile(
        name=name,
        at=datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC),
        to=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=_text(message),
        is_account=message["X-Candor-Kind"] == "account",
    )


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain", "html"))
    return str(body.get_content()) if body else ""
