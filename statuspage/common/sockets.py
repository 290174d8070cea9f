"""Listening sockets that outlive the processes which accept from them, and granian on such a socket.

Uses no Django. A socket that a supervisor or systemd holds keeps its queue while the front door is replaced, so a
restart refuses no connection. With SO_REUSEPORT, the queue of the process that stops would be lost.
"""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.server.mp import MPServer

BACKLOG = 4096
# Set by statuspage.supervisor: the number of the file descriptor.
LISTEN_FD = "CANDOR_LISTEN_FD"
# Set by statuspage.supervisor: a process that is ready writes a byte to this file descriptor.
READY_FD = "CANDOR_READY_FD"
SYSTEMD_FIRST_FD = 3
LONGEST_ADDRESS = 107
LAST_PORT = 65535


class SocketServer(MPServer):
    """granian on a listening socket that exists already. Its own sockets cannot be shared or passed on."""

    def __init__(self, target: str, listening: socket.socket, **options: Any) -> None:
        super().__init__(target, **options)
        self._listening = listening

    def _init_shared_socket(self) -> None:
        is_unix = self._listening.family == socket.AF_UNIX
        self._listening.set_inheritable(True)
        holder = SocketHolder(self._listening.fileno(), is_unix, BACKLOG)  # type: ignore[call-arg]  # old stub
        vars(self).update(_sso=self._listening, _sfd=self._listening.fileno(), _shd=holder)


def inherited() -> socket.socket | None:
    """Return the socket that the supervisor or systemd (sd_listen_fds(3)) has passed on, if any."""
    if number := os.environ.get(LISTEN_FD):
        return socket.socket(fileno=int(number))
    if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
        return socket.socket(fileno=SYSTEMD_FIRST_FD)
    return None


def bind_tcp(host: str, port: int) -> socket.socket:
    """Bind to the first address of `host`, without listening. Raises OSError, or OverflowError for a wrong port."""
    if not 0 <= port <= LAST_PORT:  # the name resolution would use the remainder
        raise OverflowError(port)
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except BaseException:
        bound.close()
        raise
    return bound


def listen_unix(path: Path) -> socket.socket:
    """Listen on a Unix socket at `path`, which only this user can connect to."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    listening.bind(short_name(path))
    path.chmod(0o600)
    listening.listen(BACKLOG)
    return listening


def short_name(path: Path) -> str:
    """Return a name of `path` that fits into a socket address, which has room for 107 bytes.

    The name of a long path is only valid in this process: it leads through a descriptor that stays open.
    """
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        return str(path)
    return f"/proc/self/fd/{os.open(path.parent, os.O_RDONLY)}/{path.name}"


def say_ready() -> None:
    """Tell the supervisor, if there is one, that this process serves requests."""
    if number := os.environ.get(READY_FD):
        with contextlib.suppress(OSError):
            os.write(int(number), b"1")
