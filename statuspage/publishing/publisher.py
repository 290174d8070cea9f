"""Keeps the published folder of every page true: after each event within two seconds, and at least once a minute."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.utils import timezone

from incidents.models import Event, Page
from statuspage.common.published_folder import DEFAULT, HOSTS
from statuspage.public import published_paths
from statuspage.public.published_paths import Stale
from statuspage.publishing.fingerprint import fingerprint
from statuspage.publishing.generations import GenerationWriter, Tree, is_past
from statuspage.publishing.models import Publication
from statuspage.publishing.rendering import CannotRender, render

logger = logging.getLogger(__name__)

TICK = 0.5
REFRESH_EVERY = 55.0
# After the first, second, … failure in a row.
BACKOFF = (1.0, 2.0, 5.0, 10.0, 30.0)
# In a manifest's `made_by`, before the state of the code: all but the incidents is to be made anew.
OWES_PRESENT = "present:"
OWES_EVERYTHING = ""

Tell = Callable[[int, int], None]


class PartlyPublished(Exception):
    """All was published but some paths, for which the application had an error. What they were is still there."""


class Publisher(threading.Thread):
    """Runs beside the dispatcher's clock, which a full rebuild must not stop. Ends soon after `stop` is set."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="publisher", daemon=True)
        self._stop_event = stop
        self._desks: dict[int, PagePublisher] = {}

    def finish(self) -> None:
        """What is half-made is swept by the next one."""
        self.join(2.0)

    def run(self) -> None:
        failures = 0
        while not self._stop_event.wait(backoff(failures) if failures else TICK):
            try:
                self.tick()
                failures = 0
            except Exception as error:
                if not failures:
                    logger.warning("Cannot publish for now; what was published stays up. %s", str(error).strip())
                failures += 1
                connection.close()
        connection.close()

    def tick(self) -> None:
        pages = list(Page.objects.order_by("pk"))
        write_hosts(pages)
        for page in pages:
            if page.pk not in self._desks:
                self._desks[page.pk] = PagePublisher(page.public_id)
            self._desks[page.pk].look_after(page)


class PagePublisher:
    """What one publisher knows of one page. Failures wait longer each time; the old page stays up meanwhile."""

    def __init__(self, public_id: str) -> None:
        self.tree = tree_of(public_id)
        self._checked_at = 0.0
        self._failures = 0
        self._not_before = 0.0

    def look_after(self, page: Page) -> None:
        now = time.monotonic()
        if now < self._not_before:
            return
        try:
            if now - self._checked_at > REFRESH_EVERY or not self._is_up_to_date(page):
                self._publish(page)
                self._checked_at = now
            self._failures = 0
        except DatabaseTrouble:
            raise
        except Exception as error:
            wait = backoff(self._failures)
            self._failures, self._not_before = self._failures + 1, time.monotonic() + wait
            logger.warning("“%s” could not be published; what was published stays up. %s", page, error)
            if isinstance(error, PartlyPublished):
                Publication.objects.succeeded(page, files=self.tree.count)
            Publication.objects.failed(page, str(error) or type(error).__name__)

    def _is_up_to_date(self, page: Page) -> bool:
        manifest = self.tree.manifest()
        is_current = manifest is not None and manifest.event >= Event.objects.newest_of(page)
        return is_current and debt(self.tree) is Stale.NOTHING

    def _publish(self, page: Page) -> None:
        """If another process of this machine does it, that is as good."""
        with writing(self.tree) as is_mine:
            if not is_mine:
                return
            partly: PartlyPublished | None = None
            try:
                Publication.objects.succeeded(page, files=publish_news(page, self.tree))
            except PartlyPublished as error:
                partly = error
            if (owed := debt(self.tree)) is not Stale.NOTHING:
                count = rebuild(page, self.tree, whole=owed is Stale.EVERYTHING)
                Publication.objects.succeeded(page, files=count)
            if partly:
                raise partly


def backoff(failures: int) -> float:
    return BACKOFF[min(failures, len(BACKOFF) - 1)]


def tree_of(public_id: str) -> Tree:
    return Tree(Path(settings.PUBLISHED_DIR) / public_id)


def debt(tree: Tree) -> Stale:
    """What is still to be made anew, by this very code. It stands in the manifest, so that nobody forgets it."""
    manifest = tree.manifest()
    made_by = manifest.made_by if manifest else OWES_EVERYTHING
    return {fingerprint(): Stale.NOTHING, OWES_PRESENT + fingerprint(): Stale.PRESENT}.get(made_by, Stale.EVERYTHING)


def publish_news(page: Page, tree: Tree) -> int:
    """Publish what happened since the last time; how many paths there are now. Of a page that was never published, what
    sums it up. All else is noted as a debt."""
    before, now = tree.manifest(), timezone.now()
    news = _news(page, before.event) if before else []
    since = datetime.fromtimestamp(before.stamp, UTC) if before else now
    touched = published_paths.touched(page, news, since=since, now=now)
    wanted = touched.paths if before else published_paths.summaries()
    last = news[-1].pk if before and 0 < len(news) <= published_paths.MANY else Event.objects.newest_of(page)
    with tree.draft() as draft:
        gone = published_paths.histories_beyond(page, draft.kept(), now=now)
        failed = _render_into(draft, page, dict.fromkeys([*wanted, *gone]))
        if touched.debt is not Stale.NOTHING:
            _drop_others(draft, published_paths.present(page, now=now))
        if len(news) > published_paths.MANY:
            _drop_hidden(draft, page)
        draft.stamp, draft.made_by = now.timestamp(), _owing(max(touched.debt, debt(tree)))
        # What failed is tried again: its event does not count as published.
        draft.event = before.event if before and failed else last
    return _counted(draft, failed)


def rebuild(page: Page, tree: Tree, *, whole: bool = True, tell: Tell | None = None) -> int:
    """Publish everything anew, or (`whole` not) all but the incidents; how many paths there are now. What happens
    meanwhile is published meanwhile. `tell(done, total)` is called after each path."""
    began, last = timezone.now(), Event.objects.newest_of(page)
    wanted = published_paths.everything(page, now=began) if whole else iter(published_paths.present(page, now=began))
    total, looked_at = published_paths.count(page, now=began), time.monotonic()
    failed: list[str] = []
    with tree.draft(rebuild=whole) as draft:
        for done, path in enumerate(wanted, start=1):
            failed += _render_into(draft, page, [path])
            if tell:
                tell(done, total)
            if time.monotonic() - looked_at > TICK:
                _keep_up(page, tree)
                looked_at = time.monotonic()
        draft.settle(lambda: _keep_up(page, tree))
        # What comes after this is left to the next look.
        now, newest, news = timezone.now(), Event.objects.newest_of(page), _news(page, last)
        touched = published_paths.touched(page, news, since=began, now=now)
        failed = _render_into(draft, page, dict.fromkeys([*touched.paths, *failed]))
        _drop_others(draft, published_paths.present(page, now=now))
        if len(news) > published_paths.MANY:
            _drop_hidden(draft, page)
        draft.stamp, draft.made_by = now.timestamp(), _owing(max(touched.debt, _debt_of(failed)))
        draft.event = newest if len(news) > published_paths.MANY else news[-1].pk if news else last
    return _counted(draft, failed)


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
    if not pages:
        return
    folder, first = Path(settings.PUBLISHED_DIR), pages[0].public_id
    hosts = {page.domain: page.public_id for page in pages if page.domain} | {"": first}
    wanted = json.dumps(hosts, sort_keys=True)
    with contextlib.suppress(OSError):
        if (folder / HOSTS).read_text(encoding="utf-8") == wanted and (folder / DEFAULT).readlink() == Path(first):
            return
    folder.mkdir(parents=True, exist_ok=True)
    # Two processes may do this at once, and a killed one may have left its half.
    part, link = (folder / f".{name}.{os.getpid()}" for name in (HOSTS, DEFAULT))
    for one in (part, link):
        one.unlink(missing_ok=True)
    part.write_text(wanted, encoding="utf-8")
    part.replace(folder / HOSTS)
    link.symlink_to(first)
    link.replace(folder / DEFAULT)


def _news(page: Page, after: int) -> list[Event]:
    """One more than many, if there are: they need not be told apart."""
    return list(Event.objects.of_page_after(page, after)[: published_paths.MANY + 1])


def _owing(owed: Stale) -> str:
    if owed is Stale.EVERYTHING:
        return OWES_EVERYTHING
    return (OWES_PRESENT if owed is Stale.PRESENT else "") + fingerprint()


def _debt_of(failed: Iterable[str]) -> Stale:
    """What has to be made anew for these paths to be tried again. One incident that cannot be shown must not have
    thousands rendered without end: the application answers for it until something happens to it."""
    return Stale.NOTHING if all(map(is_past, failed)) else Stale.PRESENT


def _keep_up(page: Page, tree: Tree) -> None:
    """In the middle of a long rebuild: publish what happened, and that the clock still runs."""
    manifest = tree.manifest()
    is_old = manifest is None or abs(time.time() - manifest.stamp) > REFRESH_EVERY
    if is_old or (manifest and Event.objects.newest_of(page) > manifest.event):
        # What failed is tried again by the rebuild itself, at its end.
        with contextlib.suppress(PartlyPublished):
            Publication.objects.succeeded(page, files=publish_news(page, tree))


def _render_into(draft: GenerationWriter, page: Page, wanted: Iterable[str]) -> list[str]:
    """The paths that failed: one broken page keeps no other from being published. CannotRender if it is one of those
    that say how things stand: a draft without them is worth nothing."""
    failed = []
    for path in wanted:
        try:
            answer = render(page, path)
        except CannotRender:
            if path in published_paths.clocks():
                raise
            failed.append(path)
            continue
        if answer is None:
            draft.drop(path)
        elif not draft.holds(path, answer):
            draft.put(path, answer)
    return failed


def _counted(draft: GenerationWriter, failed: list[str]) -> int:
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise PartlyPublished(f"{failed[0]}{more} could not be rendered; the log says why. All else is published.")
    return draft.count


def _drop_others(draft: GenerationWriter, present: Iterable[str]) -> None:
    """A report of last month, a component that was hidden: what is no longer there beside the incidents."""
    known = set(present)
    for path in draft.kept():
        if not is_past(path) and path not in known and not path.startswith(published_paths.DRESS):
            draft.drop(path)


def _drop_hidden(draft: GenerationWriter, page: Page) -> None:
    """After so much news that nobody asked what they touch: what must not be seen is not left to the next rebuild."""
    for path in published_paths.hidden(page):
        draft.drop(path)
