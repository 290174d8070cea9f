"""Bring what is published to the targets of `PUBLISH_TO`, each in a thread of its own: one that fails or hangs holds up
no other. They read the published folder alone, so they also work while the database does not."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection

from incidents.models import Page
from statuspage.common.published_folder import HOSTS
from statuspage.publishing.models import FOLDER, Publication
from statuspage.publishing.page_files import tree_of
from statuspage.publishing.publisher import TICK, backoff
from statuspage.publishing.targets import read_targets
from statuspage.publishing.targets.base import LOADED, Target, items

logger = logging.getLogger(__name__)

# A first delivery takes long. After so many seconds it goes on with what has been published since.
AT_A_TIME = 20.0
# Delivered every minute; not worth a note each time.
EVERY_MINUTE = {"/", "/live.json"}


class Replication:
    """What the dispatcher starts and ends."""

    def __init__(self, stop: threading.Event) -> None:
        self.syncs = [TargetSync(target, stop) for target in read_targets(settings.PUBLISH_TO)]

    def start(self) -> None:
        try:
            Publication.objects.forget_others([FOLDER, *(sync.target.name for sync in self.syncs)])
        except DatabaseTrouble:
            connection.close()
        for sync in self.syncs:
            sync.start()

    def finish(self) -> None:
        for sync in self.syncs:
            sync.join(1.0)


class TargetSync(threading.Thread):
    def __init__(self, target: Target, stop: threading.Event) -> None:
        super().__init__(name=target.name, daemon=True)
        self.target = target
        self._stop_event = stop
        self._delivered = ""
        # What lies at the target, and what its notes say; None: they have to be read.
        self._held: dict[str, str] | None = None
        self._noted: dict[str, str] = {}

    def run(self) -> None:
        failures = 0
        while not self._stop_event.wait(backoff(failures - 1) if failures else TICK):
            failures = 0 if self.look() else failures + 1
        connection.close()

    def look(self) -> bool:
        """Deliver what has been published since the last time, if anything has. False if that failed."""
        public_id, generation = self._published()
        if generation is None or generation.name == self._delivered:
            return True
        try:
            if count := self._deliver(generation):
                self._delivered = generation.name
                _to_database(
                    lambda page: Publication.objects.succeeded(page, target=self.target.name, files=count), public_id
                )
        except Exception as error:
            if not generation.exists():
                return True  # swept while it was being delivered: there is a newer one
            self._held = None
            # Libraries append pages of details after an empty line.
            text = str(error).strip().split("\n\n")[0] or type(error).__name__
            logger.warning("%s could not be brought up to date; what is there stays. %s", self.target.name, text)
            _to_database(lambda page: Publication.objects.failed(page, text, target=self.target.name), public_id)
            return False
        return True

    def _published(self) -> tuple[str, Path | None]:
        """The target's page, and the generation of it that readers see; None if there is none yet."""
        public_id = self.target.page
        if not public_id:
            file = Path(settings.PUBLISHED_DIR) / HOSTS
            public_id = json.loads(file.read_text(encoding="utf-8")).get("", "") if file.exists() else ""
        return public_id, tree_of(public_id).current if public_id else None

    def _deliver(self, generation: Path) -> int:
        """How many files lie there when all is done; 0 if there was not enough time for it."""
        if self._held is None or not self.target.has_notes():
            self._noted = self.target.held()
            self._held = dict(self._noted)
        held, deadline = self._held, time.monotonic() + AT_A_TIME
        wanted = {item.path: item for item in items(generation, Path(settings.STATIC_ROOT))}
        gone = sorted(held.keys() - wanted.keys())
        # What was hidden goes first. What open pages may still load goes last.
        self._drop(path for path in gone if not path.startswith(LOADED))
        # What is not noted would never be taken away again if we were killed now.
        self._note(dict.fromkeys(wanted, "") | held)
        for item in wanted.values():
            if held.get(item.path) == item.digest:
                continue
            if self._stop_event.is_set() or time.monotonic() > deadline:
                self._note(held)
                return 0
            self.target.put(item)
            held[item.path] = item.digest
        self._drop(path for path in gone if path.startswith(LOADED))
        self._note(held)
        return len(held)

    def _drop(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.target.drop(path)
            if self._held:
                self._held.pop(path, None)

    def _note(self, held: dict[str, str]) -> None:
        """Write down what lies there, if that is worth it."""
        changed = {path for path, _ in held.items() ^ self._noted.items()}
        if changed - EVERY_MINUTE or held.keys() != self._noted.keys():
            self.target.write_notes(json.dumps(held, sort_keys=True).encode())
            self._noted = dict(held)


def _to_database(tell: Callable[[Page], object], public_id: str) -> None:
    """For staff. If the database is away, they will hear of it by the age."""
    try:
        if page := Page.objects.filter(public_id=public_id).first():
            tell(page)
    except DatabaseTrouble:
        connection.close()
