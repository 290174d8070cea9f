"""Runs Candor on one machine: setup, then web, dispatcher and (with REDIS_URL) a worker; restarts what exits.

Start it with bin/serve. Ctrl-C or SIGTERM stops everything within ten seconds.
"""

import contextlib
import ctypes
import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "statuspage.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from statuspage.common.published_folder import HOSTS

GRACE = 8.0
BACKOFF = (0.2, 1, 2, 5, 10)
STABLE_AFTER = 30.0
PR_SET_PDEATHSIG = 1
# Exit code of `manage.py setup` if the database does not respond.
DATABASE_AWAY = 75
SET_UP_AGAIN_EVERY = 10.0


def say(text: str) -> None:
    print(text, flush=True)


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


@dataclass
class Child:
    """A process that should always run. `failures` counts the exits since it last ran for STABLE_AFTER seconds."""

    name: str
    command: list[str]
    failures: int = 0
    started: float = 0.0
    next_start: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.started = time.monotonic()
        # A separate session: Ctrl-C reaches only the supervisor, which then stops the whole group.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command, cwd=settings.BASE_DIR, start_new_session=True, preexec_fn=_die_with_parent
        )

    def supervise(self) -> None:
        """Start the process if it is due. If it exited, schedule a restart."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.next_start:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.failures = 0 if now - self.started > STABLE_AFTER else self.failures + 1
        wait = BACKOFF[min(self.failures, len(BACKOFF) - 1)]
        say(f"candor: {self.name} exited with {_reason(code)}; restarting in {wait:g} s")
        self.signal(signal.SIGKILL)  # its own children would keep the port, or the work, of the next one
        self.process, self.next_start = None, now + wait

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"


def _die_with_parent() -> None:
    """Stop the child if the supervisor is killed (on Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def web() -> Child:
    command = [sys.executable, "-m", "granian", "--interface", "wsgi"]
    command += ["--host", address()[1], "--port", str(settings.PORT)]
    command += ["--workers", str(settings.WEB_WORKERS), "--blocking-threads", "1"]
    command += ["--respawn-failed-workers", "--workers-kill-timeout", "5"]
    command += ["--log-level", "warning", "statuspage.wsgi:application"]
    return Child("web", command)


def background_processes() -> list[Child]:
    children = [Child("dispatcher", manage("dispatch"))]
    if settings.REDIS_URL:
        worker = [sys.executable, "-m", "celery", "--app", "statuspage.celery:app", "worker"]
        worker += ["--concurrency", str(settings.CELERY_WORKERS), "--loglevel", "warning"]
        worker += ["--without-gossip", "--without-mingle"]
        children.append(Child("worker", worker))
    return children


def address() -> tuple[socket.AddressFamily, str]:
    """Resolve HOST to an IP address, which granian needs. Raises OSError if it has none."""
    family, *_, where = socket.getaddrinfo(settings.HOST, settings.PORT, type=socket.SOCK_STREAM)[0]
    return family, str(where[0])


def listen_problem() -> str:
    """Return why the web server cannot listen, or an empty string."""
    try:
        family, host = address()
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, settings.PORT))
    except OverflowError:
        return f"PORT is {settings.PORT}, but ports go from 1 to 65535."
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {settings.PORT} on {settings.HOST} is taken. Stop what uses it, or set PORT to another one."
        return f"cannot listen on {settings.HOST}, port {settings.PORT}: {error.strerror}. Set HOST and PORT."
    return ""


def answers() -> bool:
    """Return whether the web server responds over HTTP, with any status."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=2)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def run(children: list[Child], stopping: threading.Event, *, waiting: bool) -> None:
    """Supervise `children` until `stopping` is set, then stop them: with SIGTERM, and with SIGKILL after GRACE seconds.

    `waiting`: the database did not respond, so setup is retried, and the other processes start after it.
    """
    announced = False
    again_at = time.monotonic() + SET_UP_AGAIN_EVERY
    while not stopping.is_set():
        for child in children:
            child.supervise()
        if not announced and answers():
            announced = True
            say(f"Candor is running: {settings.SITE_URL}/  (console: {settings.SITE_URL}/console/); Ctrl-C stops it")
        if waiting and time.monotonic() > again_at:
            if set_up(stopping, children) == 0:
                waiting = False
                say("candor: the database responds again; starting the other processes")
                children += background_processes()
            again_at = time.monotonic() + SET_UP_AGAIN_EVERY
        stopping.wait(0.1)
    say("candor: stopping")
    stop(children)


def stop(children: list[Child]) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while any(child.is_running for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    for child in children:
        child.signal(signal.SIGKILL)


def set_up(stopping: threading.Event, children: Sequence[Child] = ()) -> int:
    """Run `manage.py setup`, supervising `children` meanwhile. Return its exit code."""
    process = subprocess.Popen(manage("setup"), cwd=settings.BASE_DIR)  # noqa: S603 - our own command
    while process.poll() is None:
        for child in children:
            child.supervise()
        if stopping.wait(0.02):
            process.terminate()
            process.wait()
            return 130
    return process.returncode


def main() -> int:
    try:
        problem = listen_problem()
    except ImproperlyConfigured as error:
        problem = str(error)
    if problem:
        say(f"candor: {problem}")
        return 2
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    code = set_up(stopping)
    waiting = code == DATABASE_AWAY and (settings.PUBLISHED_DIR / HOSTS).exists()
    if waiting:
        say("candor: the database does not respond. The published page is still served; setup will be retried.")
    elif code != 0:
        say("candor: setup failed (see above). Nothing was started.")
        return code
    run([web()] if waiting else [web(), *background_processes()], stopping, waiting=waiting)
    return 0


if __name__ == "__main__":
    sys.exit(main())
