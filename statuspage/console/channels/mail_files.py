"""Mails written as files because no mail server is configured (statuspage.notifications.transports.eml_files)."""

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
# How many of the newest are looked through for words, each of which is a file to open.
SEARCHED = 1_000
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
class MailFiles:
    """One screenful of mails, newest first. `is_partial`: there are older ones that were not looked through."""

    listed: Page[str]
    mails: list[MailFile]
    is_partial: bool = False


def mail_files(number: str | None, words: str = "") -> MailFiles:
    """With words, those in whose subject or address each of them stands."""
    folder = Path(settings.MAIL_DIR)
    names = sorted((path.name for path in folder.glob("*.eml") if NAME.fullmatch(path.name)), reverse=True)
    is_partial = bool(words) and len(names) > SEARCHED
    if words:
        names = [name for name in names[:SEARCHED] if _has(name, words.casefold().split())]
    listed = Paginator(names, PER_PAGE).get_page(number)
    found = (_read(name, _headers(name)) for name in listed.object_list)
    return MailFiles(listed, [mail for mail in found if mail], is_partial)


def mail_file(name: str) -> MailFile | None:
    return _read(name, source(name))


def source(name: str, *, limit: int = -1) -> bytes | None:
    """The file, or its first `limit` bytes. None for names that no mail can have, so paths stay inside the folder."""
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


def _has(name: str, words: list[str]) -> bool:
    headers = _headers(name)
    if headers is None:
        return False
    # The newer policy, which decodes by itself, takes ten times as long.
    message = BytesHeaderParser().parsebytes(headers)
    said = " ".join(str(make_header(decode_header(message[name] or ""))) for name in ("To", "Subject")).casefold()
    return all(word in said for word in words)


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
