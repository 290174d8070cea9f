"""Reads the body of a request before it is forwarded: a limit by route, a deadline, and little memory.

A body that does not arrive costs one waiting task here, and no thread of the app.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from statuspage.frontdoor.config import Config
from statuspage.frontdoor.replies import Refusal

Receive = Callable[[], Awaitable[dict[str, Any]]]

# Larger bodies are kept in a temporary file, so that many slow clients cannot fill the memory.
IN_MEMORY = 16 * 1024
# The sum of all bodies in temporary files, in bytes. Beyond it, the oldest that is still being read is given up.
ON_DISK = 256 * 1024 * 1024
# Bodies that are read at the same time. More would take connections from readers of the page. The oldest makes room for
# a new one, so that bodies which stall keep nobody else out.
READ_AT_ONCE = 1000
# Seconds until a body must be complete.
FORM_SECONDS, UPLOAD_SECONDS = 10.0, 60.0
# A body that is too large is read on up to here, in bytes, in seconds without data and in seconds, so that the client
# reads the response instead of an aborted connection.
DRAINED, DRAIN_PAUSE, DRAIN_SECONDS = 512 * 1024, 0.3, 3.0
TOO_MANY = "Too many requests at the same time. Try again in a minute."
# Forms with files or texts of up to 25,000 characters, which are nine times as long when encoded.
UPLOADS = re.compile(r"/console/|/v1/")


@dataclass
class Body:
    """A body: `content` in memory, or in the temporary file `file`. `is_given_up`: it makes room for another one."""

    content: bytes
    file: IO[bytes] | None = None
    size: int = 0
    is_given_up: bool = False

    def close(self) -> None:
        if self.file is not None:
            self.file.close()


@dataclass(frozen=True)
class Limit:
    """Bytes, and seconds until the body is complete."""

    size: int
    seconds: float


class BodyReader:
    def __init__(self, config: Config) -> None:
        self.form = Limit(config.form_limit, FORM_SECONDS)
        self.upload = Limit(max(config.upload_limit, config.form_limit), UPLOAD_SECONDS)
        self.folder: Path = config.run_dir
        self.on_disk = 0
        # The bodies that are being read, the oldest first.
        self._reading: dict[asyncio.Timeout, Body] = {}

    def limit_of(self, path: str) -> Limit:
        return self.upload if UPLOADS.match(path) else self.form

    async def read(self, path: str, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> Body:
        """Read the whole body. Raises Refusal (400, 408, 413, 503)."""
        limit = self.limit_of(path)
        declared = declared_length(headers)
        if declared is not None and declared > limit.size:
            await _drain(receive)
            raise _too_large(limit)
        body = Body(b"")
        if len(self._reading) >= READ_AT_ONCE:
            self._give_up(next(iter(self._reading)))
        deadline = asyncio.timeout(limit.seconds)
        try:
            async with deadline:
                self._reading[deadline] = body
                await self._collect(body, limit, receive)
        except BaseException as error:
            self.close(body)
            if not isinstance(error, TimeoutError):
                raise
            if body.is_given_up:
                raise Refusal(503, TOO_MANY, retry_after=60) from None
            raise Refusal(408, f"The request was not complete within {limit.seconds:g} seconds.") from None
        finally:
            self._reading.pop(deadline, None)
        return body

    def _give_up(self, deadline: asyncio.Timeout) -> None:
        """Stop reading a body now."""
        body = self._reading.pop(deadline)
        if not deadline.expired():
            body.is_given_up = True
            deadline.reschedule(asyncio.get_running_loop().time())

    def close(self, body: Body) -> None:
        """Release what `body` occupies."""
        if body.file is not None:
            self.on_disk -= body.size
            body.file.close()
            body.file, body.size = None, 0

    async def _collect(self, body: Body, limit: Limit, receive: Receive) -> None:
        chunks = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                # Closed, or the chunks have no valid lengths.
                raise Refusal(400, "The body of the request is not complete or not valid.")
            chunk: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            if body.size + len(chunk) > limit.size:
                await _drain(receive)
                raise _too_large(limit)
            if body.file is None and body.size + len(chunk) > IN_MEMORY:
                body.file = tempfile.TemporaryFile(dir=self.folder)  # noqa: SIM115 - closed by close()
                self.on_disk += body.size
                body.file.write(chunks)
                chunks.clear()
            body.size += len(chunk)
            if body.file is None:
                chunks += chunk
            else:
                self._write(body.file, chunk)
        body.content = bytes(chunks)

    def _write(self, file: IO[bytes], chunk: bytes) -> None:
        self.on_disk += len(chunk)
        if self.on_disk > ON_DISK:
            stored = (deadline for deadline, body in self._reading.items() if body.file not in (None, file))
            if (oldest := next(stored, None)) is None:
                raise Refusal(503, TOO_MANY, retry_after=60)
            self._give_up(oldest)
        file.write(chunk)


def declared_length(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """Return Content-Length, or None if there is none."""
    values = {value for name, value in headers if name == b"content-length"}
    if not values:
        return None
    if len(values) > 1 or not (value := values.pop()).isdigit():
        raise Refusal(400, "Content-Length is not valid.")
    return int(value[:20])


def _too_large(limit: Limit) -> Refusal:
    return Refusal(413, f"The request is too large: the limit is {limit.size // 1024:,} KB.")


async def _drain(receive: Receive) -> None:
    """Read and discard what the client is sending at the moment."""
    read = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while read < DRAINED:
                async with asyncio.timeout(DRAIN_PAUSE):
                    message = await receive()
                read += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
