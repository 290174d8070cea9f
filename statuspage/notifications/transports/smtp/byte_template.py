"""A mail as bytes with gaps: built once for all its readers, filled in some microseconds for each."""

from __future__ import annotations

import quopri
import re
import secrets
from collections.abc import Mapping
from email.message import Message as MimePart
from typing import cast

from statuspage.notifications.messages.email import EmailTemplate
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.smtp.headers import VALUES, build_message

LINE_MOST = 998  # octets, without CRLF (RFC 5322 section 2.1.1)
# More than any link of ours is long: whether a line stays below LINE_MOST is decided before the links are there.
_LONGEST_VALUE = 400
# Lines of quoted-printable have at most 76 characters (RFC 2045 section 6.7); a multiple of three cuts no "=2E" in two.
_QP_LINE = 72
# What stands for itself there.
_LITERAL = re.compile(rb"[!-<>-~]*")
_LINE_ENDS = re.compile(rb"\r\n|\r|\n")


class ByteTemplate:
    """`fill` makes the bytes for one delivery, lines ending in CRLF.

    With `eight_bit`, text beyond ASCII travels as it is (the server must offer 8BITMIME, RFC 6152); else, and where
    lines are too long, as quoted-printable. With `stuffed`, leading dots are doubled and the end mark is there, as
    DATA wants it (RFC 5321 section 4.5.2).
    """

    def __init__(self, email: EmailTemplate, *, is_list: bool, in_thread: bool, eight_bit: bool, stuffed: bool) -> None:
        # Neither can a text hold such a mark, nor is it changed by any encoding.
        marked = {name: f"gap{secrets.token_hex(8)}x" for name in VALUES}
        self._marks = {mark.encode(): (name, False) for name, mark in marked.items()}
        self._marks |= {_in_quoted(mark): (name, True) for mark, (name, _) in self._marks.items()}
        message = build_message(email, marked, is_list=is_list, in_thread=in_thread).message()
        raw = self._serialised(message, eight_bit=eight_bit)
        self.is_eight_bit = not raw.isascii()
        if stuffed:
            raw = re.sub(rb"^\.", b"..", raw, flags=re.MULTILINE) + b".\r\n"
        self._pieces = self._split(raw)
        found = [self._marks[mark] for mark in self._pieces[1::2]]
        self._slots = [(2 * number + 1, name, is_quoted) for number, (name, is_quoted) in enumerate(found)]
        self._wanted = tuple(dict.fromkeys(name for name, _ in found))

    def fill(self, delivery: Delivery) -> bytes:
        """ValueError if the subscriber's address is none."""
        return self.filled({name: VALUES[name](delivery).encode() for name in self._wanted})

    def filled(self, values: Mapping[str, bytes]) -> bytes:
        pieces = self._pieces.copy()
        for place, name, is_quoted in self._slots:
            pieces[place] = _quoted_value(values[name]) if is_quoted else values[name]
        return b"".join(pieces)

    def _split(self, raw: bytes) -> list[bytes]:
        """Pieces and marks in turns."""
        return re.split(b"(" + b"|".join(self._marks) + b")", raw)

    def _serialised(self, message: MimePart, *, eight_bit: bool) -> bytes:
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
        longest = max(len(line) + _LONGEST_VALUE * line.count(b"gap") for line in lines)
        encoding, body = "7bit", b"\r\n".join(lines)
        if longest > LINE_MOST or not (eight_bit or payload.isascii()):
            encoding, body = "quoted-printable", b"\r\n".join(map(self._quoted, lines))
        elif not payload.isascii():
            encoding = "8bit"
        del part["Content-Transfer-Encoding"]
        part["Content-Transfer-Encoding"] = encoding
        part.set_payload("")
        return _header_block(part) + b"\r\n" + body

    def _quoted(self, line: bytes) -> bytes:
        """One line as quoted-printable; around each gap it is broken softly, so that whatever comes there has room."""
        pieces = self._split(line)
        pieces[0::2] = map(_quoted_piece, pieces[0::2])
        pieces[1::2] = map(_in_quoted, pieces[1::2])
        return b"=\r\n".join(piece for piece in pieces if piece)


def _in_quoted(mark: bytes) -> bytes:
    """The mark of the same gap where the text around it is quoted-printable."""
    return b"quoted" + mark[3:]


def _quoted_piece(piece: bytes) -> bytes:
    return quopri.encodestring(piece).replace(b"=\n", b"=\r\n")


def _quoted_value(value: bytes) -> bytes:
    """As lines of its own, none of which starts with a dot that would have to be doubled."""
    if not _LITERAL.fullmatch(value):
        value = b"".join(b"=%02X" % octet for octet in value)
    pieces = [value[start : start + _QP_LINE] for start in range(0, len(value), _QP_LINE)]
    return b"=\r\n".join(pieces).replace(b"\n.", b"\n=2E")


def _header_block(part: MimePart) -> bytes:
    """Its headers, with the empty line after them, as CRLF lines."""
    raw = part.as_bytes().replace(b"\r\n", b"\n")
    return raw[: raw.index(b"\n\n") + 1].replace(b"\n", b"\r\n")
