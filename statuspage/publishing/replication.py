"""Copy the published files to the targets of `PUBLISH_TO`.

Each target has its own thread, so a target that fails or hangs does not delay the others. The threads read only the
published folder, so they also work while the database is down.
"""

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
from statuspage.publishing.targets.base import LOADED_BY_PAGES, Target, items

logger = logging.getLogger(__name__)

# A first upload takes long. After so many seconds it continues with the newest generation.
AT_A_TIME = 20.0
# Uploaded every minute. The inventory is not saved for these alone.
EVERY_MINUTE = {"/", "/live.json"}


class Replication:
    """The synchronization of all targets. The dispatcher starts and ends it."""

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
        # Path -> hash of what is at the target; None if it has to be read. Then what was last saved there.
        self._inventory: dict[str, str] | None = None
        self._saved_inventory: dict[str, str] = {}

    def run(self) -> None:
        failures = 0
        while not self._stop_event.wait(backoff(failures - 1) if failures else TICK):
            failures = 0 if self.synchronize() else failures + 1
        connection.close()

    def synchronize(self) -> bool:
        """Upload a new generation, if there is one. Return False if that failed."""
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
                return True  # removed during the upload: there is a newer generation
            self._inventory = None
            # Libraries append pages of details after an empty line.
            text = str(error).strip().split("\n\n")[0] or type(error).__name__
            logger.warning("%s could not be updated. Its files remain. %s", self.target.name, text)
            _to_database(lambda page: Publication.objects.failed(page, text, target=self.target.name), public_id)
            return False
        return True

    def _published(self) -> tuple[str, Path | None]:
        """Return the public id of the target's page and the folder of its current generation, if it has one."""
        public_id = self.target.page
        if not public_id:
            file = Path(settings.PUBLISHED_DIR) / HOSTS
            public_id = json.loads(file.read_text(encoding="utf-8")).get("", "") if file.exists() else ""
        return public_id, tree_of(public_id).current if public_id else None

    def _deliver(self, generation: Path) -> int:
        """Upload what differs. Return the number of files at the target, or 0 if there was not enough time."""
        if self._inventory is None or not self.target.has_inventory():
            self._saved_inventory = self.target.inventory()
            self._inventory = dict(self._saved_inventory)
        inventory, deadline = self._inventory, time.monotonic() + AT_A_TIME
        wanted = {item.path: item for item in items(generation, Path(settings.STATIC_ROOT))}
        gone = sorted(inventory.keys() - wanted.keys())
        # Remove what was hidden first, and what open pages may still load last.
        self._remove(path for path in gone if not path.startswith(LOADED_BY_PAGES))
        # Save all paths first: a path that is not in the inventory would never be removed after a crash.
        self._save(dict.fromkeys(wanted, "") | inventory)
        for item in wanted.values():
            if inventory.get(item.path) == item.digest:
                continue
            if self._stop_event.is_set() or time.monotonic() > deadline:
                self._save(inventory)
                return 0
            self.target.put(item)
            inventory[item.path] = item.digest
        self._remove(path for path in gone if path.startswith(LOADED_BY_PAGES))
        self._save(inventory)
        return len(inventory)

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.target.remove(path)
            if self._inventory:
                self._inventory.pop(path, None)

    def _save(self, inventory: dict[str, str]) -> None:
        """Save the inventory, unless only paths of EVERY_MINUTE changed."""
        changed = {path for path, _ in inventory.items() ^ self._saved_inventory.items()}
        if changed - EVERY_MINUTE or inventory.keys() != self._saved_inventory.keys():
            self.target.write_inventory(json.dumps(inventory, sort_keys=True).encode())
            self._saved_inventory = dict(inventory)


def _to_database(record: Callable[[Page], object], public_id: str) -> None:
    """Record the result for staff. If the database is down, they see it by the age of the last record."""
    try:
        if page := Page.objects.filter(public_id=public_id).first():
            record(page)
    except DatabaseTrouble:
        connection.close()
