"""Runs Candor on one machine: web (the front door), app, dispatcher and (with REDIS_URL) a worker; restarts what exits.

Start it with bin/serve. Ctrl-C or SIGTERM stops everything within ten seconds. SIGHUP replaces all processes, without
refusing a connection: the supervisor holds the socket, and an old process stops when its replacement is ready.
"""

import contextlib
import ctypes
import errno
import os
import select
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
from statuspage.common.sockets import BACKLOG, LISTEN_FD, READY_FD, bind_tcp

# For the processes: they read ENV_FILE again, also after it was changed. The settings, which are read when they are
# first used, add its contents to os.environ.
ENVIRONMENT = dict(os.environ)
GRACE = 8.0
BACKOFF = (0.2, 1, 2, 5, 10)
STABLE_AFTER = 30.0
PR_SET_PDEATHSIG = 1
# Exit code of `manage.py setup` if the database does not respond.
DATABASE_AWAY = 75
SET_UP_AGAIN_EVERY = 10.0
# Seconds for a replacement to become ready. Otherwise the old process stays.
READY_WITHIN = 30.0


def say(text: str) -> None:
    print(text, flush=True)


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


@dataclass
class Child:
    """A process that should always run. `failures` counts the exits since it last ran for STABLE_AFTER seconds.

    `listening`: the socket that it accepts connections from. `overlaps`: its replacement starts before it stops.
    """

    name: str
    command: list[str]
    listening: socket.socket | None = None
    overlaps: bool = False
    failures: int = 0
    started: float = 0.0
    next_start: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    ready: int = field(default=-1, repr=False)

    def start(self) -> None:
        self.started = time.monotonic()
        self.ready, ready = os.pipe()
        environment, passed = {**ENVIRONMENT, READY_FD: str(ready)}, [ready]
        if self.listening:
            environment[LISTEN_FD] = str(self.listening.fileno())
            passed.append(self.listening.fileno())
        # A separate session: Ctrl-C reaches only the supervisor, which then stops the whole group.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            cwd=settings.BASE_DIR,
            env=environment,
            pass_fds=passed,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        os.close(ready)

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
        os.close(self.ready)
        self.process, self.next_start = None, now + wait

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            signal_group(self.process, number)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        """Whether the process has said that it serves requests. Its pipe also becomes readable when it ends."""
        return self.is_running and bool(select.select([self.ready], [], [], 0)[0])


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def _reason(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"


def _die_with_parent() -> None:
    """Stop the child if the supervisor is killed (on Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def web(listening: socket.socket | None = None) -> Child:
    return Child("web", [sys.executable, "-m", "statuspage.frontdoor"], listening, overlaps=True)


def app() -> Child:
    return Child("app", [sys.executable, "-m", "statuspage.appserver"], overlaps=True)


def background_processes() -> list[Child]:
    children = [Child("dispatcher", manage("dispatch"))]
    if settings.REDIS_URL:
        worker = [sys.executable, "-m", "celery", "--app", "statuspage.celery:app", "worker"]
        worker += ["--concurrency", str(settings.CELERY_WORKERS), "--loglevel", "warning"]
        worker += ["--without-gossip", "--without-mingle"]
        children.append(Child("worker", worker))
    return children


def bind() -> socket.socket | str:
    """Return a socket bound to HOST and PORT, or why there is none."""
    try:
        return bind_tcp(settings.HOST, settings.PORT)
    except OverflowError:
        return f"PORT is {settings.PORT}, but ports go from 1 to 65535."
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"port {settings.PORT} on {settings.HOST} is taken. Stop what uses it, or set PORT to another one."
        return f"cannot listen on {settings.HOST}, port {settings.PORT}: {error.strerror}. Set HOST and PORT."


@dataclass
class Requests:
    """What signals have requested. `stopping` also ends a wait."""

    stopping: threading.Event = field(default_factory=threading.Event)
    reloading: bool = False

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "reloading", True))


def run(children: list[Child], requests: Requests, *, waiting: bool) -> None:
    """Supervise `children` until they are to stop, then stop them: with SIGTERM, and with SIGKILL after GRACE seconds.

    `waiting`: the database did not respond, so setup is retried, and the other processes start after it.
    """
    announced = False
    again_at = time.monotonic() + SET_UP_AGAIN_EVERY
    while not requests.stopping.is_set():
        for child in children:
            child.supervise()
        if not announced and all(child.is_ready for child in children if child.overlaps):
            announced = True
            say(f"Candor is running: {settings.SITE_URL}/  (console: {settings.SITE_URL}/console/); Ctrl-C stops it")
        if waiting and time.monotonic() > again_at:
            if set_up(requests.stopping, children) == 0:
                waiting = False
                say("candor: the database responds again; starting the other processes")
                children += background_processes()
            again_at = time.monotonic() + SET_UP_AGAIN_EVERY
        if requests.reloading:
            requests.reloading = False
            reload(children, requests.stopping)
        requests.stopping.wait(0.1)
    say("candor: stopping")
    stop(children)


def reload(children: list[Child], stopping: threading.Event) -> None:
    """Replace all processes, for new code or settings: first web, then, after setup, the others."""
    say("candor: reloading")
    first = [child for child in children if child.name == "web"]
    if not all(replace(child, children, stopping) for child in first):
        return
    if set_up(stopping, children) != 0:
        say("candor: setup failed (see above). The other processes were not replaced.")
        return
    if all(replace(child, children, stopping) for child in children if child not in first):
        say("candor: reloaded")


def replace(child: Child, children: Sequence[Child], stopping: threading.Event) -> bool:
    """Start `child` again. One that overlaps stops when its replacement is ready, or stays if that does not happen."""
    old, old_ready = child.process, child.ready
    if old is None:
        return True
    if child.overlaps:
        child.start()
        deadline = time.monotonic() + READY_WITHIN
        while not child.is_ready and child.is_running and time.monotonic() < deadline and not stopping.wait(0.05):
            for other in children:
                if other is not child:
                    other.supervise()
        if not child.is_ready:
            say(f"candor: the new {child.name} is not ready (see above). The old one stays.")
            child.signal(signal.SIGKILL)
            os.close(child.ready)
            child.process, child.ready = old, old_ready
            return False
    end([old])
    os.close(old_ready)
    if not child.overlaps:
        child.start()
    return True


def stop(children: list[Child]) -> None:
    end([child.process for child in children if child.process is not None])


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Stop processes, with their own children: with SIGTERM, and with SIGKILL after GRACE seconds."""
    for process in processes:
        signal_group(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while any(process.poll() is None for process in processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in processes:
        signal_group(process, signal.SIGKILL)
        process.wait()


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
        bound = bind()
    except ImproperlyConfigured as error:
        bound = str(error)
    if isinstance(bound, str):
        say(f"candor: {bound}")
        return 2
    requests = Requests()
    requests.listen()
    children = [web(bound)]
    # The published page is served while the database is set up and migrated.
    is_published = (settings.PUBLISHED_DIR / HOSTS).exists()
    if is_published:
        bound.listen(BACKLOG)
        children[0].start()
    code = set_up(requests.stopping, children if is_published else ())
    waiting = code == DATABASE_AWAY and is_published
    if waiting:
        say("candor: the database does not respond. The published page is still served; setup will be retried.")
    elif code != 0:
        stop(children)
        say("candor: setup failed (see above). Nothing was started.")
        return code
    bound.listen(BACKLOG)
    children.append(app())
    run(children if waiting else [*children, *background_processes()], requests, waiting=waiting)
    return 0


if __name__ == "__main__":
    sys.exit(main())
