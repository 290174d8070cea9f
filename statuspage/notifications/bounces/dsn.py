"""Reading what mail servers send back: delivery status notifications (RFC 3464, RFC 6533) and complaints (RFC 5965).

Pure: bytes in, a Report out. All of it was written by strangers, so nothing in it is believed but a token of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import Header
from email.message import Message
from email.parser import BytesParser, HeaderParser

from statuspage.notifications.messages.email import one_line
from statuspage.notifications.messages.return_path import tokens_in
from statuspage.notifications.models import BounceKind
from statuspage.notifications.transports.smtp.status_codes import bounce_kind_of, find_status

# RFC 3464 section 2.3.3: all but `failed` mean that it arrived somewhere, or still may.
FAILED = "failed"
# RFC 5965 section 7.3; the other types are no complaint of a reader.
COMPLAINTS = {"abuse", "fraud", "opt-out"}

_ADDRESSED_BY = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_TYPE = re.compile(r"^[\w-]+;\s*")
_UNSUBSCRIBE = re.compile(r"/unsubscribe/([\w.-]+)", re.ASCII)
_MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class BounceReport:
    """`kind` is None for what changes nothing, and `ignored` says why. `tokens` may name the mail that it is about;
    `unsubscribe` is the token of that mail's List-Unsubscribe, for complaints that quote nothing else of ours."""

    tokens: list[str]
    kind: BounceKind | None = None
    status: str = ""
    message: str = ""
    ignored: str = ""
    unsubscribe: str = ""


def read_report(raw: bytes) -> BounceReport:
    """What a message to the return path says."""
    message = BytesParser().parsebytes(raw)
    parts = list(message.walk())
    tokens = tokens_in(_addresses(message, parts))
    for part in parts:
        if part.get_content_type() in _STATUS_PARTS:
            return _delivery_report(tokens, list(_recipients(part)))
        if part.get_content_type() == "message/feedback-report":
            return _complaint(tokens, _inside(part), _unsubscribe_token(parts))
    return BounceReport(tokens, ignored="no delivery report, perhaps an automatic answer")


def _addresses(message: Message, parts: list[Message]) -> Iterator[str]:
    """Where a token of ours may stand, the most reliable place first."""
    for name in _ADDRESSED_BY:
        yield from (_text(value) for value in message.get_all(name, []))
    for part in parts[1:]:
        for name in ("Original-Mail-From", "Return-Path"):
            yield from (_text(value) for value in _quoted(part, name))


def _quoted(part: Message, name: str) -> list[Header | str]:
    """The fields of that name in a report or a returned mail, also where only its headers came back, as text."""
    is_headers = part.get_content_type() == "text/rfc822-headers"
    block = HeaderParser().parsestr(_payload(part)) if is_headers else part
    return list(block.get_all(name, []))


def _recipients(part: Message) -> Iterator[Message]:
    """The blocks of fields about one recipient each."""
    payload = part.get_payload()
    blocks = [item for item in payload if isinstance(item, Message)] if isinstance(payload, list) else []
    if len(blocks) == 1:  # the e-mail package knows only the ASCII form as blocks
        rest = re.split(r"\r?\n[ \t]*\r?\n", _payload(blocks[0]))
        blocks += [HeaderParser().parsestr(text.lstrip()) for text in rest]
    yield from (block for block in blocks if block["Action"])


def _delivery_report(tokens: list[str], recipients: list[Message]) -> BounceReport:
    actions = {_field(block, "Action").lower() for block in recipients}
    if actions != {FAILED}:
        # Somebody behind the address got it, or will: no reason to stop.
        return BounceReport(
            tokens, ignored=f"not a failure: {', '.join(sorted(actions)) or 'no recipient'}"[:_MESSAGE_LENGTH]
        )
    block = recipients[0]
    message = _TYPE.sub("", _field(block, "Diagnostic-Code"))
    status = find_status(_field(block, "Status"))
    if not status or status.endswith(".0.0"):
        status = find_status(message) or status
    return BounceReport(
        tokens, bounce_kind_of(status), status, message or f"{status or 'No reason'} given by their mail server"
    )


def _complaint(tokens: list[str], fields: Message, unsubscribe: str) -> BounceReport:
    kind = _field(fields, "Feedback-Type").lower()
    if kind not in COMPLAINTS:
        return BounceReport(tokens, ignored=f"not a complaint: {kind or 'no type'}"[:_MESSAGE_LENGTH])
    return BounceReport(tokens, BounceKind.COMPLAINT, message=f"Reported as {kind}", unsubscribe=unsubscribe)


def _unsubscribe_token(parts: list[Message]) -> str:
    links = " ".join(_text(value) for part in parts for value in _quoted(part, "List-Unsubscribe"))
    match = _UNSUBSCRIBE.search(links)
    return match.group(1) if match else ""


def _inside(part: Message) -> Message:
    payload = part.get_payload()
    return payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], Message) else Message()


def _payload(part: Message) -> str:
    payload = part.get_payload()
    return payload if isinstance(payload, str) else ""


def _field(block: Message, name: str) -> str:
    return one_line(_text(block.get(name, "")))[:_MESSAGE_LENGTH]


def _text(value: Header | str) -> str:
    """As text that any database takes: bytes that are no characters become question marks."""
    return str(value).encode("utf-8", "replace").decode()
