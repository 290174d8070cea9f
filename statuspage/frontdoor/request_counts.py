"""Counts what a front-door process did, in a file that the app's /metrics reads."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

WRITE_EVERY = 5.0
# The process of a file that was not written for so many seconds has stopped.
STOPPED_AFTER = 60.0


@dataclass
class RequestCounts:
    """`refused`: answered by the front door itself with an error of the client or for lack of room.

    `errors`: the app did not respond. `started`: Unix seconds.
    """

    started: float = field(default_factory=time.time)
    published: int = 0
    forwarded: int = 0
    refused: int = 0
    errors: int = 0


def read_counts(folder: Path) -> dict[int, RequestCounts]:
    """Return the counts of the running front-door processes of this machine by process id."""
    counts = {}
    for file in sorted(folder.glob("requests-*.json")):
        number = file.stem.removeprefix("requests-")
        with contextlib.suppress(OSError, ValueError, TypeError):  # removed meanwhile, or damaged
            if time.time() - file.stat().st_mtime <= STOPPED_AFTER:
                counts[int(number)] = RequestCounts(**json.loads(file.read_text(encoding="ascii")))
    return counts


class CountsFile:
    """`requests-<pid>.json` in `folder`, replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"requests-{os.getpid()}.json"

    def write(self, counts: RequestCounts) -> None:
        draft = self.path.with_suffix(".part")
        draft.write_text(json.dumps(asdict(counts)), encoding="ascii")
        draft.replace(self.path)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def remove_left_behind(self) -> None:
        """Remove the files of processes that no longer run: a killed one could not."""
        for file in self.path.parent.glob("requests-*.json"):
            number = file.stem.removeprefix("requests-")
            if number.isdigit() and not Path(f"/proc/{number}").exists() and Path("/proc/self").exists():
                file.unlink(missing_ok=True)
