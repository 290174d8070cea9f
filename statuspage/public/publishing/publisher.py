"""Keeps the published folder of every page true: after each event within two seconds, and at least once a minute."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection

from incidents.models import Event, Page
from statuspage.common.published import HOSTS
from statuspage.public.models import Publication
from statuspage.public.publishing import paths
from statuspage.public.publishing.fingerprint import fingerprint
from statuspage.public.publishing.rendering import render
from statuspage.public.publishing.tree import Draft, Tree

logger = logging.getLogger(__name__)

TICK = 0.5
REFRESH_EVERY = 55.0
# After the first, second, … failure in a row.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0)

Tell = Callable[[int, int], None]


class Publisher(threading.Thread):
    """Runs beside the dispatcher's clock, which a full rebuild must not stop. Ends soon after `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="publisher", daemon=True)
        self._stop_event = stop
        self._desks: dict[int, Desk] = {}

    def finish(self) -> None:
        self.join(2.0)

    def run(self) -> None:
        while not self._stop_event.wait(TICK):
            try:
                self.tick()
            except DatabaseTrouble as error:
                logger.warning("Cannot look for news to publish: %s", error)
                connection.close()
        connection.close()

    def tick(self) -> None:
        pages = list(Page.objects.order_by("pk"))
        write_hosts(pages)
        newest = Event.objects.newest_by_page()
        for page in pages:
            desk = self._desks.setdefault(page.pk, Desk(page.public_id))
            desk.look_after(page, newest.get(page.pk, 0))


class Desk:
    """What one publisher knows of one page. Failures wait longer each time; the old page stays up meanwhile."""

    def __init__(self, public_id: str) -> None:
        self.tree = tree_of(public_id)
        self._checked_at = 0.0
        self._failures = 0
        self._not_before = 0.0

    def look_after(self, page: Page, newest: int) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return
        manifest = self.tree.manifest()
        is_due = manifest is None or newest > manifest.event or now - self._checked_at > REFRESH_EVERY
        if not is_due:
            return
        try:
            with writing(self.tree) as is_mine:
                if is_mine:
                    count = bring_up_to_date(page, self.tree)
                    Publication.objects.succeeded(page, files=count)
            self._checked_at, self._failures = now, 0
        except DatabaseTrouble:
            raise
        except Exception as error:
            wait = BACKOFF[min(self._failures, len(BACKOFF) - 1)]
            self._failures, self._not_before = self._failures + 1, now + wait
            logger.exception("“%s” could not be published; what was published stays. Again in %d s.", page, wait)
            Publication.objects.failed(page, str(error) or type(error).__name__)


def tree_of(public_id: str) -> Tree:
    return Tree(Path(settings.PUBLISHED_DIR) / public_id)


def bring_up_to_date(page: Page, tree: Tree) -> int:
    """Publish what happened since the last time, or everything if that is unknown; how many files it holds now."""
    manifest = tree.manifest()
    if manifest is None or manifest.made_by != fingerprint():
        return rebuild(page, tree)
    news = list(Event.objects.of_page_after(page, manifest.event))
    last = news[-1].pk if news else manifest.event
    touched = paths.touched(page, news)
    if touched is None:
        return rebuild(page, tree)
    with tree.draft() as draft:
        _render_into(draft, page, touched)
        _stamp(draft, last)
    return draft.count


def rebuild(page: Page, tree: Tree, *, tell: Tell | None = None) -> int:
    """Publish everything anew; how many files. `tell(done, total)` is called after each path."""
    last = Event.objects.newest_by_page().get(page.pk, 0)
    total = paths.count(page)
    with tree.draft(rebuild=True) as draft:
        _render_into(draft, page, _told(paths.everything(page), total, tell))
        _stamp(draft, last)
    return draft.count


@contextlib.contextmanager
def writing(tree: Tree) -> Iterator[bool]:
    """Whether nobody else on this machine writes the folder now; held until the block is left."""
    tree.root.mkdir(parents=True, exist_ok=True)
    with (tree.root / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def write_hosts(pages: Iterable[Page]) -> None:
    """Tell the front door which page answers to which host; the first one answers to all others."""
    pages = list(pages)
    hosts = {page.domain: page.public_id for page in pages if page.domain}
    hosts |= {"": pages[0].public_id} if pages else {}
    file, wanted = Path(settings.PUBLISHED_DIR) / HOSTS, json.dumps(hosts, sort_keys=True)
    with contextlib.suppress(FileNotFoundError):
        if file.read_text(encoding="utf-8") == wanted:
            return
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{HOSTS}.part")
    part.write_text(wanted, encoding="utf-8")
    part.replace(file)


def _render_into(draft: Draft, page: Page, wanted: Iterable[str]) -> None:
    for path in wanted:
        answer = render(page, path)
        if answer is None:
            draft.drop(path)
        elif not draft.holds(path, answer):
            draft.put(path, answer)


def _stamp(draft: Draft, last: int) -> None:
    draft.stamp, draft.event, draft.made_by = time.time(), last, fingerprint()


def _told(wanted: Iterable[str], total: int, tell: Tell | None) -> Iterator[str]:
    for done, path in enumerate(wanted, start=1):
        yield path
        if tell:
            tell(done, total)
