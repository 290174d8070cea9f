"""`python -m statuspage.frontdoor` runs the front door on HOST and PORT, or on the socket that it was started with."""

import contextlib
import resource
import sys

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from statuspage.common.data_folder import DataFolderError, prepare
from statuspage.common.sockets import BACKLOG, SocketServer, bind_tcp, inherited
from statuspage.frontdoor.config import ConfigError, read_config

# Milliseconds for the headers of a request, also on a connection that has already sent one.
HEADER_TIMEOUT = 3000
# Bytes for the headers of a request. A request with more of them gets 431.
HEADER_LIMIT = 64 * 1024


def main() -> int:
    try:
        config = read_config()
        prepare(config.data_dir, moves_database=config.moves_database)
        listening = inherited() or bind_tcp(config.host, config.port)
        listening.listen(BACKLOG)
    except (ConfigError, DataFolderError, OSError, OverflowError) as error:
        print(f"candor: the front door cannot start: {error}", file=sys.stderr)
        return 2
    _allow_many_connections()
    SocketServer(
        "statuspage.frontdoor.application:make_application",
        listening,
        factory=True,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        workers=config.workers,
        backlog=BACKLOG,
        backpressure=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT, max_buffer_size=HEADER_LIMIT),
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        respawn_interval=0.2,
        workers_kill_timeout=5,
    ).serve()
    return 0


def _allow_many_connections() -> None:
    """Each connection needs a file descriptor; the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
