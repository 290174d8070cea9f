"""A progress bar in the last line of a terminal."""

from __future__ import annotations

import time
from typing import Protocol

WIDTH = 30
INTERVAL = 0.1  # seconds between two changes


class Stream(Protocol):
    def write(self, msg: str = "", style_func: None = None, ending: str | None = None) -> None: ...
    def flush(self) -> None: ...


class ProgressBar:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._shown_at = 0.0
        self._length = 0

    def show(self, kind: str, done: int, total: int) -> None:
        """Show that `done` of `total` were read. `total` 0: unknown."""
        now = time.monotonic()
        if now - self._shown_at < INTERVAL and done != total:
            return
        self._shown_at = now
        self._put(bar_text(kind, done, total))

    def clear(self) -> None:
        if self._length:
            self._put("")

    def _put(self, text: str) -> None:
        self._stream.write(f"\r{text:<{self._length}}" + ("" if text else "\r"), ending="")
        self._stream.flush()
        self._length = len(text)


def bar_text(kind: str, done: int, total: int) -> str:
    """Return for example `[######      ] 20 of 100 incidents`."""
    if total < done or not total:
        return f"{done:,} {kind}"
    filled = WIDTH * done // total
    return f"[{'#' * filled}{' ' * (WIDTH - filled)}] {done:,} of {total:,} {kind}"
