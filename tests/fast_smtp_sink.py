"""A fast SMTP server for measurements, with configurable errors. It runs as a separate process:

    python -m tests.fast_smtp_sink PORT CONTROL_PORT

It stores no emails, only their number by recipient and Message-ID. Its behavior is set while it runs, by lines to the
control port: `set latency 0.02`, `stat`, `copies`, `first example.com`, `reset`; tests/smtp_sink_process.py does that.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

_MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)", re.MULTILINE | re.IGNORECASE)
_ADDRESS = re.compile(rb"<([^>]*)>")


@dataclass
class Behavior:
    """Seconds, shares from 0 to 1, and switches as 0 or 1."""

    latency: float = 0  # before each answer
    greeting: float = 0  # before the greeting
    defer: float = 0  # 451 to each RCPT
    greylist: float = 0  # 451 to the first RCPT of each mailbox
    refuse: float = 0  # 550 to this share of mailboxes, always to the same
    goodbye_each: float = 0  # 421 and disconnect after so many mails on a connection
    cut_at_mail_each: float = 0  # the same without 421
    cut_after_data: float = 0  # disconnect instead of answering a text, for this share of mailboxes (or all: 1)
    cut_first: float = 0  # the same, the first so many times
    drip: float = 0  # so many seconds for each byte of an answer
    drip_from_mail: float = 0  # the same, from the first MAIL of a connection on
    mute: float = 0  # never a word, not even a greeting
    pipelining: float = 1
    impatient: float = 0  # disconnect if a second command comes before the first was answered
    ask_all_the_same: float = 0  # 354 to DATA even if the recipient was refused
    most_connections: float = 0  # 421 instead of a greeting for more


@dataclass
class Statistics:
    """The received emails. Times are those of time.monotonic(), which all processes of a machine share."""

    mails: int = 0
    octets: int = 0
    connected: float = 0  # the first connection
    first: float = 0
    last: float = 0
    connections: int = 0
    by_recipient: Counter[bytes] = field(default_factory=Counter)
    ids: Counter[bytes] = field(default_factory=Counter)
    first_by_domain: dict[str, float] = field(default_factory=dict)
    greylisted: set[bytes] = field(default_factory=set)

    def record(self, recipient: bytes, text: bytes) -> None:
        now = time.monotonic()
        self.first = self.first or now
        self.last = now
        self.mails += 1
        self.octets += len(text)
        self.by_recipient[recipient] += 1
        if match := _MESSAGE_ID.search(text):
            self.ids[match[1]] += 1
        domain = recipient.rpartition(b"@")[2].decode()
        if domain not in self.first_by_domain:
            self.first_by_domain[domain] = now


BEHAVIOR = Behavior()
books = Statistics()


def share_of(recipient: bytes) -> float:
    """Return a number from 0 to 1 that is constant per mailbox."""
    return zlib.crc32(recipient) % 1000 / 1000


class Conversation(asyncio.Protocol):
    """One connection."""

    open: ClassVar[set[Conversation]] = set()

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.in_text = False
        self.recipient = b""
        self.has_begun = False
        self.mails = 0
        self.answers: list[bytes] = []
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if BEHAVIOR.most_connections and len(Conversation.open) >= BEHAVIOR.most_connections:
            transport.write(b"421 Too many connections\r\n")
            transport.close()
            return
        Conversation.open.add(self)
        books.connections += 1
        books.connected = books.connected or time.monotonic()
        asyncio.get_running_loop().call_later(BEHAVIOR.greeting, self.greet)

    def greet(self) -> None:
        self.answers.append(b"220 sink ESMTP\r\n")
        self.answer()

    def connection_lost(self, _error: Exception | None) -> None:
        Conversation.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while not self.transport.is_closing() and (self.take_text() if self.in_text else self.take_command()):
            pass
        self.answer()

    def hang_up(self, farewell: bytes) -> None:
        if farewell == b"421":
            self.transport.write(b"421 Idle for too long\r\n")
        self.transport.close()

    def take_text(self) -> bool:
        end = self.buffer.find(b"\r\n.\r\n")
        if end < 0:
            if not self.buffer.startswith(b".\r\n"):
                return False
            del self.buffer[:3]
            self.in_text = False
            self.answers.append(b"554 No valid recipients\r\n")
            return True
        text = bytes(self.buffer[: end + 2])
        del self.buffer[: end + 5]
        self.in_text = False
        self.mails += 1
        books.record(self.recipient, text)
        if BEHAVIOR.cut_first or (BEHAVIOR.cut_after_data and share_of(self.recipient) < BEHAVIOR.cut_after_data):
            BEHAVIOR.cut_first = max(0, BEHAVIOR.cut_first - 1)
            self.transport.abort()
            return False
        self.answers.append(b"250 Accepted\r\n")
        return True

    def take_command(self) -> bool:
        end = self.buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self.buffer[:end])
        del self.buffer[: end + 2]
        if BEHAVIOR.impatient and self.buffer:
            self.transport.abort()
            return False
        verb = line[:4].upper()
        if verb == b"MAIL":
            self.mail()
        elif verb == b"RCPT":
            self.rcpt(line)
        elif verb == b"DATA":
            self.in_text = bool(self.recipient or BEHAVIOR.ask_all_the_same)
            self.answers.append(b"354 Go on\r\n" if self.in_text else b"503 No recipient\r\n")
        elif verb == b"EHLO":
            offered = b"250-PIPELINING\r\n" if BEHAVIOR.pipelining else b""
            self.answers.append(b"250-sink\r\n" + offered + b"250 8BITMIME\r\n")
        elif verb == b"QUIT":
            self.transport.close()
        else:
            self.answers.append(b"250 OK\r\n")
        return True

    def mail(self) -> None:
        self.recipient = b""
        self.has_begun = True
        if BEHAVIOR.goodbye_each and self.mails >= BEHAVIOR.goodbye_each:
            self.answers.append(b"421 Enough for today\r\n")
            self.answer()
            self.transport.close()
            return
        if BEHAVIOR.cut_at_mail_each and self.mails >= BEHAVIOR.cut_at_mail_each:
            self.answer()
            self.transport.close()
            return
        self.answers.append(b"250 OK\r\n")

    def rcpt(self, line: bytes) -> None:
        match = _ADDRESS.search(line)
        recipient = match[1] if match else b""
        if BEHAVIOR.defer or (BEHAVIOR.greylist and recipient not in books.greylisted):
            books.greylisted.add(recipient)
            self.answers.append(b"451 4.7.1 Come back later\r\n")
        elif share_of(recipient) < BEHAVIOR.refuse:
            self.answers.append(b"550 5.1.1 No such user\r\n")
        else:
            self.recipient = recipient
            self.answers.append(b"250 OK\r\n")

    def answer(self) -> None:
        response, self.answers = b"".join(self.answers), []
        if not response or BEHAVIOR.mute:
            return
        loop = asyncio.get_running_loop()
        if slow := BEHAVIOR.drip or (self.has_begun and BEHAVIOR.drip_from_mail):
            for place, octet in enumerate(response):
                loop.call_later(place * slow, self.transport.write, bytes([octet]))
        elif BEHAVIOR.latency:
            loop.call_later(BEHAVIOR.latency, self.transport.write, response)
        else:
            self.transport.write(response)


def obey(command: list[str]) -> object:
    global books
    if command[:2] == ["set", "forget_domains"]:
        books.first_by_domain.clear()
    elif command[0] == "set":
        setattr(BEHAVIOR, command[1], float(command[2]))
    elif command[0] == "hang_up":
        for conversation in list(Conversation.open):
            conversation.hang_up(command[1].encode())
    elif command[0] == "reset":
        books = Statistics()
    elif command[0] == "first":
        return books.first_by_domain.get(command[1], 0)
    elif command[0] == "copies":
        return Counter(books.ids.values())
    stat = {name: getattr(books, name) for name in ("mails", "octets", "connected", "first", "last", "connections")}
    stat["open"] = len(Conversation.open)
    return stat | {"readers": len(books.by_recipient), "ids": len(books.ids)}


async def control(recipient: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await recipient.readline():
        writer.write(json.dumps(obey(line.decode().split())).encode() + b"\n")
    writer.close()


async def serve(port: int, control_port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Conversation, "127.0.0.1", port, backlog=512)
    await asyncio.start_server(control, "127.0.0.1", control_port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
