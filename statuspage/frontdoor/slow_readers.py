"""Ends connections of clients that do not read their responses.

granian has no deadline for sending, so such clients could occupy all connections for as long as they want. The kernel
counts for each connection what the client has acknowledged.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from statuspage.common.sockets import BACKLOG

LOOK_EVERY = 4.0
# A client with data waiting must acknowledge at least so many bytes per second, on average over so many seconds.
BYTES_PER_SECOND, PATIENCE = 1000, 20.0
# The same while more files are open: connections become scarce.
CROWDED, PATIENCE_IF_CROWDED = BACKLOG // 2, LOOK_EVERY

OPEN_FILES = Path("/proc/self/fd")
# The beginning of `struct tcp_info` (linux/tcp.h): state, unacked packets, acknowledged bytes, bytes not sent yet.
TCP_INFO = struct.Struct("=B23xI92xQ16xI")
CONNECTED = (1, 8)  # established, and closed by the client for sending
RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Wait:
    """Since `began` (seconds), data has been waiting for the client, who had acknowledged `acknowledged` bytes."""

    began: float
    acknowledged: int


class SlowReaders:
    def __init__(self) -> None:
        # By the inode of the socket, because file descriptors are used again.
        self._waits: dict[int, Wait] = {}

    def look(self, files: Sequence[int], now: float) -> int:
        """End the TCP connections among the open `files` that are too slow. Return their number."""
        waits: dict[int, Wait] = {}
        patience = PATIENCE if len(files) <= CROWDED else PATIENCE_IF_CROWDED
        ended = 0
        for file in files:
            with suppress(OSError), _copy(file) as connection:
                inode, wait = os.fstat(connection.fileno()).st_ino, _wait_of(connection, now)
                if wait is None:
                    continue
                earlier = self._waits.get(inode, wait)
                seconds, progress = now - earlier.began, wait.acknowledged - earlier.acknowledged
                if seconds < patience:
                    waits[inode] = earlier
                elif progress >= BYTES_PER_SECOND * seconds:
                    waits[inode] = wait
                else:
                    _end(connection)
                    ended += 1
        self._waits = waits
        return ended


def open_files() -> list[int]:
    """Return the file descriptors of this process; none where the system does not list them."""
    try:
        return [int(entry.name) for entry in OPEN_FILES.iterdir()]
    except OSError:
        return []


def _copy(file: int) -> socket.socket:
    """Return a socket of our own for the same connection. Raises OSError if `file` is not a socket."""
    copy = os.dup(file)
    try:
        if stat.S_ISSOCK(os.fstat(copy).st_mode):
            return socket.socket(fileno=copy)
        raise OSError(f"{file} is not a socket.")
    except OSError:
        os.close(copy)
        raise


def _wait_of(connection: socket.socket, now: float) -> Wait | None:
    """Return a wait that begins now, or None if nothing is waiting for the client. Raises OSError if it is not TCP."""
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return None
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO.size)
    if len(info) < TCP_INFO.size:
        return None
    state, unacknowledged, acknowledged, not_sent = TCP_INFO.unpack(info)
    return Wait(now, acknowledged) if state in CONNECTED and (unacknowledged or not_sent) else None


def _end(connection: socket.socket) -> None:
    """Reset the connection, so that the kernel also discards what is waiting."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.shutdown(socket.SHUT_RDWR)
