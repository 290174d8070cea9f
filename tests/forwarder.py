"""A TCP forwarder that can freeze, change its target and refuse connections while clients are connected."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from tests.servers import free_port


@dataclass
class Forwarder:
    """Listens on `port` and forwards to `target` (a port). What clients see of it:

    `move(target)`: the links that there are hang, without a byte and without an end, as when a server froze; new ones
    reach the new target, as when the name leads elsewhere now. `refuse()`: new links are refused, old ones cut.
    """

    target: int
    port: int = field(default_factory=free_port)
    _links: list[socket.socket] = field(default_factory=list)
    _listener: socket.socket | None = None
    _generation: int = 0

    def start(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def move(self, target: int) -> None:
        self.target = target
        self._generation += 1

    def refuse(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._cut()

    def stop(self) -> None:
        self.refuse()

    def _cut(self) -> None:
        links, self._links = self._links, []
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._link(client)

    def _link(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            client.close()
            return
        self._links += [client, server]
        for source, sink in ((client, server), (server, client)):
            threading.Thread(target=self._pump, args=(source, sink, self._generation), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, generation: int) -> None:
        with suppress(OSError):
            while octets := source.recv(65536):
                if generation != self._generation:
                    return  # frozen: both ends stay open, and nothing moves any more
                sink.sendall(octets)
            sink.shutdown(socket.SHUT_WR)
