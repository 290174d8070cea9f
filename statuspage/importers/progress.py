"""A line at the end of a terminal that says how far an import is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

WIDTH = 30
# Seconds: nobody reads faster.
EVERY = 0.1


class Stream(Protocol):
    def write(self, msg: str = "", style_func: None = None, ending: str | None = None) -> None: ...
    def flush(self) -> None: ...


class Bar:
    def __init__(self, stream: Stream, *, enabled: bool) -> None:
        self._stream = stream
        self._enabled = enabled
        self._shown_at = 0.0
        self._length = 0

    def show(self, what: str, done: int, total: int) -> None:
        """`total` 0: not known."""
        now = time.monotonic()
        if not self._enabled or (now - self._shown_at < EVERY and done != total):
            return
        self._shown_at = now
        self._put(bar_text(what, done, total))

    def clear(self) -> None:
        if self._length:
            self._put("")

    def around(self, write: Callable[[str], None]) -> Callable[[str], None]:
        """`write` for lines that must not run into the bar."""

        def tell(line: str) -> None:
            self.clear()
            write(line)

        return tell

    def _put(self, text: str) -> None:
        self._stream.write(f"\r{text:<{self._length}}" + ("" if text else "\r"), ending="")
        self._stream.flush()
        self._length = len(text)


def bar_text(what: str, done: int, total: int) -> str:
    """`[######      ] 20 of 100 incidents`."""
    if total < done or not total:
        return f"{done:,} {what}"
    full = WIDTH * done // total
    return f"[{'#' * full}{' ' * (WIDTH - full)}] {done:,} of {total:,} {what}"
