"""Readers of the published page, so many a second, whatever happens meanwhile."""

import asyncio
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

CONNECTIONS = 32
# A reader's patience; more is as bad as no answer.
PATIENCE = 10.0


@dataclass
class Tally:
    """What became of the requests: answers by their status, what went wrong by its name, seconds until the answer."""

    wanted: int
    answers: Counter[int | str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    @property
    def share(self) -> float:
        return self.answers[200] / self.total if self.total else 0.0

    @property
    def p99(self) -> float:
        """Milliseconds, counted from when a request was due: one that had to wait for its turn waited too."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] * 1000

    def __str__(self) -> str:
        wrong = {kind: count for kind, count in self.answers.items() if kind != 200}
        return f"{self.total} asked, {self.share:.3%} answered with 200 {wrong or ''}, p99 {self.p99:.1f} ms"


class Load(threading.Thread):
    """GETs of `paths` in turns from 127.0.0.1:`port` over kept connections, `rate` a second, for `seconds`."""

    def __init__(self, port: int, paths: list[str], *, rate: int, seconds: float) -> None:
        super().__init__(name="load", daemon=True)
        self.port, self.paths, self.rate = port, paths, rate
        self.tally = Tally(wanted=int(rate * seconds))

    def run(self) -> None:
        asyncio.run(self._all())

    async def _all(self) -> None:
        began = time.monotonic()
        await asyncio.gather(*(self._reader(number, began) for number in range(CONNECTIONS)))

    async def _reader(self, number: int, began: float) -> None:
        line = Line(self.port)
        for turn in range(number, self.tally.wanted, CONNECTIONS):
            due = began + turn / self.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            try:
                answer: int | str = await asyncio.wait_for(line.ask(self.paths[turn % len(self.paths)]), PATIENCE)
            except (OSError, EOFError, TimeoutError) as error:
                line.hang_up()
                answer = type(error).__name__
            self.tally.answers[answer] += 1
            self.tally.seconds.append(time.monotonic() - due)
        line.hang_up()


class Line:
    """One connection, made again when the server ends it between two answers, as it may."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str) -> int:
        """The status. OSError or EOFError if the answer does not come whole."""
        is_kept = self._writer is not None
        try:
            return await self._ask(path)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.hang_up()
            if not is_kept or (isinstance(error, asyncio.IncompleteReadError) and error.partial):
                raise
            return await self._ask(path)

    async def _ask(self, path: str) -> int:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n".encode())
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"content-length: (\d+)", head)
        assert length, head
        await self._reader.readexactly(int(length[1]))
        if "connection: close" in head:
            self.hang_up()
        return int(head.split(" ", 2)[1])

    def hang_up(self) -> None:
        if self._writer:
            self._writer.close()
        self._reader = self._writer = None
