"""Whether the published folder belongs to the database. If not, an operator decides which of them to keep.

`published/install.json` has the key of the install and, for each page, the last event. An event's key is random, so an
event that is not in the database shows that a backup was restored, whatever its number.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from django.conf import settings
from django.db.models import Subquery

from incidents.models import Event, Page
from statuspage.common.published_folder import HOSTS
from statuspage.notifications.models import Installation, Mismatch
from statuspage.publishing.generation_writer import Tree

logger = logging.getLogger(__name__)

RECORD = "install.json"
# While the record, the installation, the newest event and the newest page stay the same, the folder is compared again
# after so many seconds.
COMPARE_EVERY = 5.0

# What the last comparison saw, and its time, if folder and database matched.
_last_match: tuple[object, float] = (None, 0.0)


class Verdict(Enum):
    """What may be done with the published folder."""

    MATCHES = "matches"
    # It was published under a former key: everything is to be published again.
    REBUILD = "rebuild"
    KEPT = "kept"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Record:
    """`events`: number and key of the last event by page."""

    install: str
    events: dict[str, tuple[int, str]] = field(default_factory=dict)


def check() -> Verdict:
    """Compare the folder with the database, and record a mismatch. Then nothing may be published until it is decided.

    Otherwise note the newest events in the folder, before they are published.
    """
    global _last_match
    now, database = time.monotonic(), _database_version()
    if database and _last_match[0] == (_record_version(), database) and now - _last_match[1] < COMPARE_EVERY:
        return Verdict.MATCHES
    verdict = _compare()
    _last_match = ((_record_version(), database), now) if verdict is Verdict.MATCHES else (None, 0.0)
    return verdict


def _compare() -> Verdict:
    installation = Installation.objects.current()
    if installation.mismatch:
        return Verdict.KEPT if installation.is_published_kept else Verdict.UNDECIDED
    pages = {page.pk: page.public_id for page in Page.objects.order_by("pk")}
    record = _read_record()
    if record and record.install in installation.former_keys:
        return Verdict.REBUILD
    mismatch = _mismatch(installation, record, pages)
    if mismatch:
        Installation.objects.report(mismatch)
        logger.error("%s", Installation.objects.current().reason)
        return Verdict.UNDECIDED
    _note(installation, record, pages)
    return Verdict.MATCHES


def note_rebuilt() -> None:
    """Record that everything was published under the present key."""
    pages = {page.pk: page.public_id for page in Page.objects.order_by("pk")}
    _note(Installation.objects.current(), None, pages)


def _mismatch(installation: Installation, record: Record | None, pages: dict[int, str]) -> Mismatch | None:
    published = _published_pages() | (record.events.keys() if record else set())
    if not published:
        return None
    if not pages:
        return Mismatch.EMPTY_DATABASE
    if record and record.install != installation.key:
        return Mismatch.OTHER_INSTALL
    if not published & set(pages.values()):
        return Mismatch.OTHER_INSTALL
    if published - set(pages.values()):
        return Mismatch.RESTORED
    return Mismatch.RESTORED if _is_newer(record, pages) else None


def _is_newer(record: Record | None, pages: dict[int, str]) -> bool:
    """Return whether the folder contains an event that the database does not have."""
    if record is None:
        # Published by a version without a record: only the number of the last event is known.
        return any(_published_event(public_id) > _newest(pk)[0] for pk, public_id in pages.items())
    numbers = [number for number, _ in record.events.values() if number]
    known = dict(Event.objects.with_ids(numbers).values_list("pk", "public_key"))
    for number, key in record.events.values():
        if number and known.get(number) != key and (number in known or not Event.objects.is_pruned(number)):
            return True
    return False


def _note(installation: Installation, record: Record | None, pages: dict[int, str]) -> None:
    new = Record(installation.key, {public_id: _newest(pk) for pk, public_id in pages.items()})
    if not pages or new == record:
        return
    folder = Path(settings.PUBLISHED_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    # Several threads and processes may do this at once, with the same content.
    part = folder / f".{RECORD}.{threading.get_native_id()}"
    part.write_text(json.dumps({"install": new.install, "events": new.events}), encoding="utf-8")
    part.replace(folder / RECORD)


def _newest(page: int) -> tuple[int, str]:
    return Event.objects.newest_key_of(page)


def _database_version() -> tuple[object, ...] | None:
    """Return what identifies the database and its newest event, or None if it has no installation. One query."""
    events, pages = Event.objects.order_by("-pk"), Page.objects.order_by("-pk")
    newest = (Subquery(events.values("public_key")[:1]), Subquery(pages.values("public_id")[:1]))
    return Installation.objects.filter(pk=1).values_list("key", *newest).first()


def _record_version() -> tuple[str, int, int]:
    """Return the path of the record, and its inode and time of change, or zeros if there is none."""
    path = Path(settings.PUBLISHED_DIR) / RECORD
    try:
        status = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), status.st_ino, status.st_mtime_ns


def _read_record() -> Record | None:
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        raw = json.loads((Path(settings.PUBLISHED_DIR) / RECORD).read_text(encoding="utf-8"))
        events = {public_id: (int(number), str(key)) for public_id, (number, key) in raw["events"].items()}
        return Record(str(raw["install"]), events)
    return None


def _published_pages() -> set[str]:
    with suppress(OSError, ValueError, AttributeError):
        hosts = json.loads((Path(settings.PUBLISHED_DIR) / HOSTS).read_text(encoding="utf-8"))
        return {public_id for public_id in hosts.values() if (Path(settings.PUBLISHED_DIR) / public_id).exists()}
    return set()


def _published_event(public_id: str) -> int:
    with suppress(OSError, ValueError):
        manifest = Tree(Path(settings.PUBLISHED_DIR) / public_id).manifest()
        return manifest.event if manifest else 0
    return 0
