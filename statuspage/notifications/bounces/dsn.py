"""Parse reports of mail servers: delivery status notifications (RFC 3464, RFC 6533) and complaints (RFC 5965).

No side effects: bytes in, a BounceReport out. The content is untrusted, apart from a token that Candor signed.
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

# RFC 3464 section 2.3.3: every other action means that the email arrived or still can.
FAILED = "failed"
# RFC 5965 section 7.3; the other types are not complaints of recipients.
COMPLAINTS = {"abuse", "fraud", "opt-out"}

_ADDRESSED_BY = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_TYPE = re.compile(r"^[\w-]+;\s*")
_UNSUBSCRIBE = re.compile(r"/unsubscribe/([\w.-]+)", re.ASCII)
_MESSAGE_LENGTH = 500


@dataclass(frozen=True)
class BounceReport:
    """The result of parsing a report.

    `kind` is None if the report changes nothing; `ignored` is the reason. `tokens` are candidates for the token of the
    returned email. `unsubscribe` is the token in its List-Unsubscribe header, for complaints that quote no other token.
    """

    tokens: list[str]
    kind: BounceKind | None = None
    status: str = ""
    message: str = ""
    ignored: str = ""
    unsubscribe: str = ""


def read_report(raw: bytes) -> BounceReport:
    """Parse a message that was sent to the return path."""
    message = BytesParser().parsebytes(raw)
    parts = list(message.walk())
    tokens = tokens_in(_addresses(message, parts))
    for part in parts:
        if part.get_content_type() in _STATUS_PARTS:
            return _delivery_report(tokens, list(_recipients(part)))
        if part.get_content_type() == "message/feedback-report":
            return _complaint(tokens, _inside(part), _unsubscribe_token(parts))
    return BounceReport(tokens, ignored="not a delivery report, possibly an automatic reply")


def _addresses(message: Message, parts: list[Message]) -> Iterator[str]:
    """Yield the values that may contain a token, the most reliable first."""
    for name in _ADDRESSED_BY:
        yield from (_text(value) for value in message.get_all(name, []))
    for part in parts[1:]:
        for name in ("Original-Mail-From", "Return-Path"):
            yield from (_text(value) for value in _quoted(part, name))


def _quoted(part: Message, name: str) -> list[Header | str]:
    """Return the header fields `name` of a report or a returned email, also if only its headers were returned."""
    is_headers = part.get_content_type() == "text/rfc822-headers"
    block = HeaderParser().parsestr(_payload(part)) if is_headers else part
    return list(block.get_all(name, []))


def _recipients(part: Message) -> Iterator[Message]:
    """Yield the field blocks of the single recipients."""
    payload = part.get_payload()
    blocks = [item for item in payload if isinstance(item, Message)] if isinstance(payload, list) else []
    if len(blocks) == 1:  # the email package splits only the ASCII form into blocks
        rest = re.split(r"\r?\n[ \t]*\r?\n", _payload(blocks[0]))
        blocks += [HeaderParser().parsestr(text.lstrip()) for text in rest]
    yield from (block for block in blocks if block["Action"])


def _delivery_report(tokens: list[str], recipients: list[Message]) -> BounceReport:
    actions = {_field(block, "Action").lower() for block in recipients}
    if actions != {FAILED}:
        # Someone at the address received it or will receive it, so the address works.
        return BounceReport(
            tokens, ignored=f"not a failure: {', '.join(sorted(actions)) or 'no recipient'}"[:_MESSAGE_LENGTH]
        )
    block = recipients[0]
    message = _TYPE.sub("", _field(block, "Diagnostic-Code"))
    status = find_status(_field(block, "Status"))
    if not status or status.endswith(".0.0"):
        status = find_status(message) or status
    return BounceReport(
        tokens, bounce_kind_of(status), status, message or f"{status or 'No reason'} from the recipient's mail server"
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
    """Return text that every database accepts: undecodable bytes become question marks."""
    return str(value).encode("utf-8", "replace").decode()
