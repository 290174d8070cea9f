"""`python -m statuspage.appserver` runs Django on a Unix socket for the front door, with APP_THREADS threads.

The socket gets its name only when Django is loaded: a new app takes over from the one that runs without a gap.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from statuspage.common.data_folder import DataFolderError, prepare
from statuspage.common.sockets import BACKLOG, SocketServer, listen_unix, say_ready
from statuspage.frontdoor.config import ConfigError, read_config

NICE = 10
# Seconds without work after which a thread, and its database connection, ends.
THREAD_SECONDS = 600


def load_application(own: Path, known: Path) -> Callable[..., Any]:
    """Load Django, then give the socket at `own` the name that the front door knows. Runs in each worker.

    Heartbeats keep the clock of the worker synchronized with the database's.
    """
    from django.urls import get_resolver

    from statuspage.wsgi import application  # isort: skip - sets Django up, which the next import needs
    from statuspage.notifications.heartbeat_thread import HeartbeatThread

    HeartbeatThread("app").start_and_wait()
    _ = get_resolver().url_patterns  # imports all views now, not during the first request
    with contextlib.suppress(FileNotFoundError):  # a worker that was started again
        own.replace(known)
    say_ready()
    return application


def main() -> int:
    try:
        config = read_config()
        prepare(config.data_dir, moves_database=config.moves_database)
    except (ConfigError, DataFolderError) as error:
        print(f"candor: the app cannot start: {error}", file=sys.stderr)
        return 2
    with contextlib.suppress(OSError):
        os.nice(NICE)
    own = config.run_dir / f"app-{os.getpid()}.sock"
    try:
        SocketServer(
            "statuspage.wsgi:application",
            listen_unix(own),
            interface=Interfaces.WSGI,
            websockets=False,
            blocking_threads=config.app_threads,
            blocking_threads_idle_timeout=THREAD_SECONDS,
            backlog=BACKLOG,
            http1_settings=HTTP1Settings(header_read_timeout=60_000),
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
            respawn_interval=0.2,
            workers_kill_timeout=5,
        ).serve(target_loader=partial(load_application, own, config.socket), wrap_loader=False)
    finally:
        own.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
