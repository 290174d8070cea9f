"""The published files of one page: which of them are stale, and how they are rendered again."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from incidents import clock
from incidents.models import Event, Page
from statuspage.common.published_folder import DEFAULT, HOSTS
from statuspage.common.shared_reads import sharing
from statuspage.publishing.fingerprint import fingerprint
from statuspage.publishing.generation_writer import GenerationWriter, Tree, is_of_incident
from statuspage.publishing.models import Publication
from statuspage.publishing.path_source import MANY_EVENTS, PathSource, Stale
from statuspage.publishing.rendering import CannotRender, render

# How often a long rebuild looks for new events, in seconds.
CHECK_EVERY = 0.5
REFRESH_EVERY = 55.0
# Prefix of the fingerprint in a manifest's `made_by`: all paths but those of incidents are stale.
PRESENT_IS_STALE = "present:"
EVERYTHING_IS_STALE = ""

OnProgress = Callable[[int, int], None]


class PartlyPublished(Exception):
    """Everything was published but the paths that the application could not render. Their previous files remain."""


@dataclass(frozen=True)
class PageFiles:
    """One page, its published folder, and the source of its paths."""

    page: Page
    tree: Tree
    paths: PathSource

    def is_current(self) -> bool:
        """Return whether every event is published and nothing is stale."""
        manifest = self.tree.manifest()
        has_newest = manifest is not None and manifest.event >= Event.objects.newest_of(self.page)
        return has_newest and self.stale() is Stale.NOTHING

    def stale(self) -> Stale:
        """Return what has to be rendered again by the present code.

        The manifest records it, so that a publisher that is killed loses nothing.
        """
        manifest = self.tree.manifest()
        made_by = manifest.made_by if manifest else EVERYTHING_IS_STALE
        known = {fingerprint(): Stale.NOTHING, PRESENT_IS_STALE + fingerprint(): Stale.PRESENT}
        return known.get(made_by, Stale.EVERYTHING)

    def publish_events(self) -> int:
        """Publish what the new events changed, and record the rest as stale. Return the number of published paths.

        A page that was never published gets its summaries first.
        """
        before, now = self.tree.manifest(), clock.now()
        events = self._events_after(before.event) if before else []
        since = datetime.fromtimestamp(before.stamp, UTC) if before else now
        changed = self.paths.changed(self.page, events, since=since, now=now)
        wanted = changed.paths if before else self.paths.summaries()
        last = events[-1].pk if before and 0 < len(events) <= MANY_EVENTS else Event.objects.newest_of(self.page)
        with self.tree.new_generation() as generation:
            gone = self.paths.histories_beyond(self.page, generation.paths(), now=now)
            with sharing():
                failed = self._render_into(generation, dict.fromkeys([*wanted, *gone]))
            self._drop_outdated(generation, changed.stale, events, now=now)
            generation.stamp, generation.made_by = now.timestamp(), _made_by(max(changed.stale, self.stale()))
            # The event of a failed path does not count as published, so it is tried again.
            generation.event = before.event if before and failed else last
        return _count_or_raise(generation, failed)

    def rebuild(self, *, whole: bool = True, on_progress: OnProgress | None = None) -> int:
        """Render everything again, or all but the incidents if `whole` is false. Return the number of published paths.

        Events that happen meanwhile are published meanwhile. `on_progress(done, total)` is called after each path.
        """
        page, began, last = self.page, clock.now(), Event.objects.newest_of(self.page)
        wanted = self.paths.everything(page, now=began) if whole else iter(self.paths.present(page, now=began))
        total, checked_at = self.paths.count(page, now=began), time.monotonic()
        failed: list[str] = []
        with self.tree.new_generation(rebuild=whole) as generation:
            for done, path in enumerate(wanted, start=1):
                failed += self._render_into(generation, [path])
                if on_progress:
                    on_progress(done, total)
                if time.monotonic() - checked_at > CHECK_EVERY:
                    self._publish_meanwhile()
                    checked_at = time.monotonic()
            generation.write_through(self._publish_meanwhile)
            # Later events are left to the next check.
            now, newest, events = clock.now(), Event.objects.newest_of(page), self._events_after(last)
            changed = self.paths.changed(page, events, since=began, now=now)
            failed = self._render_into(generation, dict.fromkeys([*changed.paths, *failed]))
            self._drop_outdated(generation, Stale.PRESENT, events, now=now)
            generation.stamp, generation.made_by = now.timestamp(), _made_by(max(changed.stale, _stale_after(failed)))
            is_many = len(events) > MANY_EVENTS
            generation.event = newest if is_many else events[-1].pk if events else last
        return _count_or_raise(generation, failed)

    def _publish_meanwhile(self) -> None:
        """During a long rebuild, publish new events and the current time."""
        manifest = self.tree.manifest()
        is_old = manifest is None or abs(time.time() - manifest.stamp) > REFRESH_EVERY
        if is_old or (manifest and Event.objects.newest_of(self.page) > manifest.event):
            # The rebuild itself tries failed paths again at its end.
            with contextlib.suppress(PartlyPublished):
                Publication.objects.succeeded(self.page, files=self.publish_events())

    def _events_after(self, event: int) -> list[Event]:
        """Return the new events; if there are more than MANY_EVENTS, one more than that."""
        return list(Event.objects.of_page_after(self.page, event)[: MANY_EVENTS + 1])

    def _render_into(self, generation: GenerationWriter, paths: Iterable[str]) -> list[str]:
        """Render `paths` and return those that failed: one broken page does not prevent the others.

        Raises CannotRender if a path that states the current time fails: a generation without it is worth nothing.
        """
        failed = []
        for path in paths:
            try:
                answer = render(self.page, path)
            except CannotRender:
                if path in self.paths.clocks():
                    raise
                failed.append(path)
                continue
            if answer is None:
                generation.drop(path)
            elif not generation.holds(path, answer):
                generation.put(path, answer)
        return failed

    def _drop_outdated(self, generation: GenerationWriter, stale: Stale, events: list[Event], *, now: datetime) -> None:
        """Drop paths that no longer exist: the report of last month, a component or incident that was hidden."""
        if stale is not Stale.NOTHING:
            known = set(self.paths.present(self.page, now=now))
            for path in generation.paths():
                if not is_of_incident(path) and path not in known and not self.paths.is_stylesheet_or_logo(path):
                    generation.drop(path)
        if len(events) > MANY_EVENTS:
            # Nobody computed what these events change. What must not be seen is not left to the next rebuild.
            for path in self.paths.hidden(self.page):
                generation.drop(path)


def tree_of(public_id: str) -> Tree:
    """Return the published folder of the page with this public id."""
    return Tree(Path(settings.PUBLISHED_DIR) / public_id)


@contextlib.contextmanager
def exclusive_writer(tree: Tree) -> Iterator[bool]:
    """Yield whether this process may write the folder; no other process of this machine may until the block ends."""
    tree.root.mkdir(parents=True, exist_ok=True)
    with (tree.root / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def write_hosts(pages: Iterable[Page]) -> None:
    """Write which page answers to which host, for the front door. The first page answers to all other hosts."""
    pages = list(pages)
    if not pages:
        return
    folder, first = Path(settings.PUBLISHED_DIR), pages[0].public_id
    hosts = {page.domain: page.public_id for page in pages if page.domain} | {"": first}
    content = json.dumps(hosts, sort_keys=True)
    with contextlib.suppress(OSError):
        if (folder / HOSTS).read_text(encoding="utf-8") == content and (folder / DEFAULT).readlink() == Path(first):
            return
    folder.mkdir(parents=True, exist_ok=True)
    # Two processes may do this at once, and a killed one may have left a part.
    part, link = (folder / f".{name}.{os.getpid()}" for name in (HOSTS, DEFAULT))
    part.unlink(missing_ok=True)
    link.unlink(missing_ok=True)
    part.write_text(content, encoding="utf-8")
    part.replace(folder / HOSTS)
    link.symlink_to(first)
    link.replace(folder / DEFAULT)


def _made_by(stale: Stale) -> str:
    if stale is Stale.EVERYTHING:
        return EVERYTHING_IS_STALE
    return (PRESENT_IS_STALE if stale is Stale.PRESENT else "") + fingerprint()


def _stale_after(failed: Iterable[str]) -> Stale:
    """Return what to render again so that `failed` is tried again.

    One incident that cannot be rendered must not cause endless rebuilds of thousands. The application answers for it
    until its next event.
    """
    return Stale.NOTHING if all(map(is_of_incident, failed)) else Stale.PRESENT


def _count_or_raise(generation: GenerationWriter, failed: list[str]) -> int:
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise PartlyPublished(
            f"{failed[0]}{more} could not be rendered. See the log for the error. Everything else is published."
        )
    return generation.count
