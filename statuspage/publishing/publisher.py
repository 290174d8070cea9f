"""Keep the published folder of every page current: within two seconds of an event, and at least once a minute."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterable

from django.db import Error as DatabaseTrouble
from django.db import connection

from incidents.models import Page
from statuspage.publishing import identity
from statuspage.publishing.identity import Verdict
from statuspage.publishing.models import Publication
from statuspage.publishing.page_files import (
    REFRESH_EVERY,
    PageFiles,
    PartlyPublished,
    exclusive_writer,
    tree_of,
    write_hosts,
)
from statuspage.publishing.path_source import PathSource, Stale

logger = logging.getLogger(__name__)

TICK = 0.5
# Seconds to wait after the first, second, … failure in a row.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0)


class Publisher(threading.Thread):
    """Runs beside the dispatcher's loop, so that a full rebuild does not delay it. Ends soon after `stop` is set."""

    def __init__(self, stop: threading.Event, paths: PathSource) -> None:
        super().__init__(name="publisher", daemon=True)
        self._stop_event = stop
        self._paths = paths
        self._publishers: dict[int, PagePublisher] = {}

    def finish(self) -> None:
        """Wait briefly. The next publisher removes an unfinished generation."""
        self.join(2.0)

    def run(self) -> None:
        failures = 0
        while not self._stop_event.wait(backoff(failures) if failures else TICK):
            try:
                self.tick()
                failures = 0
            except Exception as error:
                if not failures:
                    logger.warning("Cannot publish at the moment. Published files remain. %s", str(error).strip())
                failures += 1
                connection.close()
        connection.close()

    def tick(self) -> None:
        verdict = identity.check()
        if verdict in {Verdict.KEPT, Verdict.UNDECIDED}:
            return
        pages = list(Page.objects.order_by("pk"))
        write_hosts(pages)
        if verdict is Verdict.REBUILD and not publish_everything(pages, self._paths):
            return
        for page in pages:
            if page.pk not in self._publishers:
                self._publishers[page.pk] = PagePublisher(page.public_id, self._paths)
            self._publishers[page.pk].update(page)


class PagePublisher:
    """Keeps one page current. After a failure it waits longer each time; the published files remain meanwhile."""

    def __init__(self, public_id: str, paths: PathSource) -> None:
        self.tree = tree_of(public_id)
        self._paths = paths
        self._checked_at = 0.0
        self._failures = 0
        self._not_before = 0.0

    def update(self, page: Page) -> None:
        """Publish what changed, if anything did. Failures are logged and recorded for staff."""
        now = time.monotonic()
        if now < self._not_before:
            return
        files = PageFiles(page, self.tree, self._paths)
        try:
            if now - self._checked_at > REFRESH_EVERY or not files.is_current():
                _publish(files)
                self._checked_at = now
            self._failures = 0
        except DatabaseTrouble:
            raise
        except Exception as error:
            wait = backoff(self._failures)
            self._failures, self._not_before = self._failures + 1, time.monotonic() + wait
            logger.warning("“%s” could not be published. Its published files remain. %s", page, error)
            if isinstance(error, PartlyPublished):
                Publication.objects.succeeded(page, files=self.tree.count)
            Publication.objects.failed(page, str(error) or type(error).__name__)


def publish_everything(pages: Iterable[Page], paths: PathSource) -> bool:
    """Publish all `pages` again, without any file of before. Return False if another process is publishing one."""
    for page in pages:
        files = PageFiles(page, tree_of(page.public_id), paths)
        with exclusive_writer(files.tree) as is_mine:
            if not is_mine:
                return False
            # A path that fails has no earlier file that may be shown. The application answers for it.
            with contextlib.suppress(PartlyPublished):
                Publication.objects.succeeded(page, files=files.rebuild())
    identity.note_rebuilt()
    return True


def backoff(failures: int) -> float:
    """Return the seconds to wait after so many earlier failures."""
    return BACKOFF[min(failures, len(BACKOFF) - 1)]


def _publish(files: PageFiles) -> None:
    """Publish new events, then what is stale. Do nothing while another process of this machine does it."""
    with exclusive_writer(files.tree) as is_mine:
        if not is_mine:
            return
        partly: PartlyPublished | None = None
        try:
            Publication.objects.succeeded(files.page, files=files.publish_events())
        except PartlyPublished as error:
            partly = error
        if (stale := files.stale()) is not Stale.NOTHING:
            count = files.rebuild(whole=stale is Stale.EVERYTHING)
            Publication.objects.succeeded(files.page, files=count)
        if partly:
            raise partly
