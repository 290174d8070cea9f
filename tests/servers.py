"""Real servers on free loopback ports. Each is a class with start() and stop(); the fixtures are in conftest.py.

Programs are looked up on PATH. Debian installs nginx and PostgreSQL in folders that are not on the PATH of ordinary
users, so these folders are added; SERVER_PATH replaces them (folders separated by ":", empty for none).
"""

import contextlib
import email
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest


def debian_server_folders() -> str:
    """Return the folders of nginx and PostgreSQL on Debian, with the newest PostgreSQL first."""
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    newest_first = sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)
    return ":".join(map(str, [*newest_first, "/usr/sbin"]))


# Inherited by the processes that run tests in parallel, and set in all programs that import this module.
if server_path := os.environ.setdefault("SERVER_PATH", debian_server_folders()):
    path_folders = dict.fromkeys([*os.environ.get("PATH", os.defpath).split(":"), *server_path.split(":")])
    os.environ["PATH"] = ":".join(path_folders)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "chromium")
CHROMIUM_ARGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]

# Programs that tests start without looking them up first, with their Debian packages.
PROGRAM_PACKAGES = {"openssl": "openssl", "setpriv": "util-linux"}
POSTGRES_PACKAGE = ("PostgreSQL", "postgresql")


def not_installed(name: str, package: str) -> str:
    return f"{name} is not installed. Install it with: bin/test --install (or apt-get install {package})"


def missing(name: str, package: str) -> NoReturn:
    """Skip the test because a server or a program is missing; in CI fail it."""
    message = not_installed(name, package)
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextlib.contextmanager
def missing_programs_skip() -> Iterator[None]:
    """Skip the test if one of PROGRAM_PACKAGES cannot be started because it is not installed."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename in PROGRAM_PACKAGES and not shutil.which(error.filename):
            missing(error.filename, PROGRAM_PACKAGES[error.filename])
        raise


# Put before the command of a server: the server ends when the test run ends, even if the test run is killed.
WITH_US = ["setpriv", "--pdeathsig", "INT"]


# These ports are below the range that the kernel uses for outgoing connections, and each process that runs tests has a
# hundred of its own. A port that is free when it is chosen is therefore still free when its server starts.
_FIRST_PORT = 11_000 + os.getpid() % 200 * 100
_PORTS = itertools.cycle(range(_FIRST_PORT, _FIRST_PORT + 100))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on. Raise OSError if this process has no free port."""
    for port in itertools.islice(_PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"No port from {_FIRST_PORT} on is free.")


def wait_until(condition: Callable[[], Any], what: str, *, seconds: float = 45.0) -> Any:
    """Poll until `condition()` is true and return its result. Raise AssertionError naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
        return True
    return False


def stop_process(process: subprocess.Popen[bytes], *, number: int = signal.SIGTERM, seconds: float = 10.0) -> None:
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Redis:
    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        if not shutil.which("redis-server"):
            missing("Redis", "redis-server")
        command = [*WITH_US, "redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        wait_until(lambda: accepts(self.port), "redis-server answers")

    def stop(self) -> None:
        if self.process:
            self.thaw()
            stop_process(self.process)

    def flush(self) -> None:
        """It forgets everything."""
        assert self._ask("FLUSHALL").startswith("+OK")

    def has_waiting_worker(self) -> bool:
        """Whether somebody waits here for the next wake-up."""
        match = re.search(r"blocked_clients:(\d+)", self._ask("INFO clients"))
        return bool(match and int(match[1]))

    def was_asked_for_work(self) -> bool:
        """Whether a worker has ever waited here, though it may be busy now."""
        return "cmdstat_brpop:" in self._ask("INFO commandstats")

    def _ask(self, command: str) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as client:
            client.sendall(f"{command}\r\n".encode())
            return client.recv(65536).decode()

    def freeze(self) -> None:
        """It keeps its connections and says nothing any more."""
        if self.process:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)


@dataclass
class Postgres:
    """In a folder of its own that belongs to the `postgres` user when we are root, who may not run it."""

    port: int = field(default_factory=free_port)
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    @staticmethod
    def is_installed() -> bool:
        return all(map(shutil.which, ("initdb", "postgres")))

    def start(self) -> None:
        if not self.is_installed():
            missing(*POSTGRES_PACKAGE)
        self.folder = Path(tempfile.mkdtemp(prefix="candor-pg-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        data = self.folder / "data"
        initdb = ["initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(self._as_owner(initdb), check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.start_again()

    def start_again(self) -> None:
        """Start on the data of the last start."""
        assert self.folder
        options = ["-c", "fsync=off", "-c", "max_connections=200", "-c", f"unix_socket_directories={self.folder}"]
        server = ["postgres", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", self.port, *options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(self._as_owner(server), stdout=log, stderr=log, cwd="/")
        wait_until(self._answers, "PostgreSQL answers")

    def _answers(self) -> bool:
        """Whether it takes queries: while it starts, or recovers, it accepts connections and refuses them."""
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=2).close()
            return True
        return False

    def stop_at_once(self) -> None:
        """Like `pg_ctl stop -m immediate`: connections are cut, and the next start has to recover."""
        if self.process:
            stop_process(self.process, number=signal.SIGQUIT)

    def create(self, database: str) -> str:
        """A new, empty database; its URL."""
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def stop(self) -> None:
        if self.process:
            stop_process(self.process, number=signal.SIGINT)
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _as_owner(self, command: list[Any]) -> list[str]:
        owner = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        return [*WITH_US, *owner, *map(str, command)]


@dataclass
class ReceivedEmail:
    """One mail as the sink accepted it."""

    sender: str
    recipient: str
    raw: bytes


class SmtpSink:
    """An SMTP server in a thread that keeps what it accepts. `refuse` maps a recipient to another answer; `options`
    are aiosmtpd's."""

    def __init__(self, **options: Any) -> None:
        from aiosmtpd.controller import Controller

        self.emails: list[ReceivedEmail] = []
        self.refuse: dict[str, str] = {}
        self.sessions: list[Any] = []
        self.controller = Controller(self, hostname="127.0.0.1", port=free_port(), **options)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.controller.port}"

    def start(self) -> None:
        controller: Any = self.controller
        new_session = controller.factory

        def remembered_session() -> Any:
            self.sessions.append(new_session())
            return self.sessions[-1]

        controller.factory = remembered_session
        controller.start()

    def stop(self) -> None:
        """Stop after the connections of this process are closed. aiosmtpd leaves open ones to the garbage collector."""
        from statuspage.notifications.transports.smtp.kept_pool import KEPT_POOL

        KEPT_POOL.close()
        with contextlib.suppress(AssertionError):  # other processes may hold some
            wait_until(lambda: all(session.transport is None for session in self.sessions), "closed", seconds=2)
        self.controller.stop()

    def stat(self) -> dict[str, Any]:
        """How many mails, readers and different Message-IDs there were."""
        ids = {email.message_from_bytes(message.raw)["Message-ID"] for message in self.emails}
        readers = {message.recipient for message in self.emails}
        return {"mails": len(self.emails), "readers": len(readers), "ids": len(ids)}

    def to(self, recipient: str) -> list[ReceivedEmail]:
        return [message for message in self.emails if message.recipient == recipient]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        for recipient in envelope.rcpt_tos:
            self.emails.append(ReceivedEmail(envelope.mail_from, recipient, envelope.content))
        return "250 OK"
