"""A message as bytes with gaps: serialized once for all recipients, filled in within microseconds for each of them."""

from __future__ import annotations

import quopri
import re
import secrets
from collections.abc import Mapping
from email.message import Message as MimePart
from typing import cast

from statuspage.notifications.messages.email import EmailTemplate
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.smtp.headers import GAP_VALUES, build_message

MAX_LINE_OCTETS = 998  # octets, without CRLF (RFC 5322 section 2.1.1)
# Longer than any of our links. Whether a line fits into MAX_LINE_OCTETS is decided before the links are filled in.
_MAX_VALUE_OCTETS = 400
# Lines of quoted-printable have at most 76 characters (RFC 2045 section 6.7); a multiple of three never splits a "=2E".
_QP_LINE = 72
# Characters that quoted-printable does not encode.
_LITERAL = re.compile(rb"[!-<>-~]*")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")


class ByteTemplate:
    """Serialize a message once; `fill` returns the bytes for one delivery, with CRLF line endings.

    With `eight_bit`, text beyond ASCII travels as it is (the server must offer 8BITMIME, RFC 6152); else, and where
    lines are too long, as quoted-printable. With `dot_stuffed`, leading dots are doubled and the end mark is there, as
    DATA wants it (RFC 5321 section 4.5.2).
    """

    def __init__(
        self, email: EmailTemplate, *, is_list: bool, in_thread: bool, eight_bit: bool, dot_stuffed: bool
    ) -> None:
        # No text contains such a mark, and no encoding changes it.
        mark_by_name = {name: f"gap{secrets.token_hex(8)}x" for name in GAP_VALUES}
        self._marks = {mark.encode(): (name, False) for name, mark in mark_by_name.items()}
        self._marks |= {_quoted_mark(mark): (name, True) for mark, (name, _) in self._marks.items()}
        message = build_message(email, mark_by_name, is_list=is_list, in_thread=in_thread).message()
        raw = self._serialize(message, eight_bit=eight_bit)
        self.is_eight_bit = not raw.isascii()
        if dot_stuffed:
            raw = re.sub(rb"^\.", b"..", raw, flags=re.MULTILINE) + b".\r\n"
        self._pieces = self._split(raw)
        gaps = [self._marks[mark] for mark in self._pieces[1::2]]
        self._slots = [(2 * number + 1, name, is_quoted) for number, (name, is_quoted) in enumerate(gaps)]
        self._names = tuple(dict.fromkeys(name for name, _ in gaps))

    def fill(self, delivery: Delivery) -> bytes:
        """Return the message for `delivery`. ValueError if the subscriber's address is invalid."""
        return self.fill_values({name: GAP_VALUES[name](delivery).encode() for name in self._names})

    def fill_values(self, values: Mapping[str, bytes]) -> bytes:
        pieces = self._pieces.copy()
        for index, name, is_quoted in self._slots:
            pieces[index] = _quoted_value(values[name]) if is_quoted else values[name]
        return b"".join(pieces)

    def _split(self, raw: bytes) -> list[bytes]:
        """Split `raw` into alternating pieces and marks."""
        return re.split(b"(" + b"|".join(self._marks) + b")", raw)

    def _serialize(self, message: MimePart, *, eight_bit: bool) -> bytes:
        parts = cast("list[MimePart]", message.get_payload())
        boundary = f"=_{secrets.token_hex(16)}"
        message.set_boundary(boundary)
        message.set_payload([])
        lines = [_header_block(message)]
        for part in parts:
            lines += [f"--{boundary}".encode(), self._part(part, eight_bit=eight_bit)]
        return b"\r\n".join([*lines, f"--{boundary}--".encode(), b""])

    def _part(self, part: MimePart, *, eight_bit: bool) -> bytes:
        payload = cast("bytes", part.get_payload(decode=True))
        lines = _LINE_ENDS.split(payload)
        longest = max(len(line) + _MAX_VALUE_OCTETS * line.count(b"gap") for line in lines)
        encoding, body = "7bit", b"\r\n".join(lines)
        if longest > MAX_LINE_OCTETS or not (eight_bit or payload.isascii()):
            encoding, body = "quoted-printable", b"\r\n".join(map(self._quoted, lines))
        elif not payload.isascii():
            encoding = "8bit"
        del part["Content-Transfer-Encoding"]
        part["Content-Transfer-Encoding"] = encoding
        part.set_payload("")
        return _header_block(part) + b"\r\n" + body

    def _quoted(self, line: bytes) -> bytes:
        """Encode one line as quoted-printable, with soft line breaks around each gap so that any value fits."""
        pieces = self._split(line)
        pieces[0::2] = map(_quoted_piece, pieces[0::2])
        pieces[1::2] = map(_quoted_mark, pieces[1::2])
        return b"=\r\n".join(piece for piece in pieces if piece)


def _quoted_mark(mark: bytes) -> bytes:
    """Return the mark of the same gap inside quoted-printable text."""
    return b"quoted" + mark[3:]


def _quoted_piece(piece: bytes) -> bytes:
    return quopri.encodestring(piece).replace(b"=\n", b"=\r\n")


def _quoted_value(value: bytes) -> bytes:
    """Encode `value` as separate lines, none of which starts with a dot (which would have to be doubled)."""
    if not _LITERAL.fullmatch(value):
        value = b"".join(b"=%02X" % octet for octet in value)
    pieces = [value[start : start + _QP_LINE] for start in range(0, len(value), _QP_LINE)]
    return b"=\r\n".join(pieces).replace(b"\n.", b"\n=2E")


def _header_block(part: MimePart) -> bytes:
    """Return the headers of `part` and the empty line after them, with CRLF line endings."""
    raw = part.as_bytes().replace(b"\r\n", b"\n")
    return raw[: raw.index(b"\n\n") + 1].replace(b"\n", b"\r\n")
