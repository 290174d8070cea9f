"""Which paths a page has, and which of them an event touches. Every one is answered by a view of `public/urls.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.urls import reverse
from django.utils import timezone

from incidents.models import Component, Event, EventKind, Incident, Page
from incidents.models.states import Kind
from incidents.visibility import Viewer
from statuspage.public.history import page_count, page_of

# What shows the present state, and so changes with nearly everything.
SUMMARIES = ("home", "live", "atom", "rss", "maintenances_ics", "uptime")
# What changes with the code alone.
FIXED = ("robots", "missing")
# After these, any page of any incident may read otherwise.
CHANGES_ALL = {EventKind.PAGE_CHANGED, EventKind.COMPONENTS_CHANGED}


def everything(page: Page) -> Iterator[str]:
    """All paths of `page`, past incidents last. The incidents are read in pieces: there may be tens of thousands."""
    yield from _named(SUMMARIES + FIXED)
    yield from _histories(range(1, page_count(page, now=timezone.now()) + 1))
    for component in page.components.visible_to(Viewer.PUBLIC):
        yield from _of_component(component)
    for incident in page.incidents.visible_to(Viewer.PUBLIC).order_by("pk").iterator(chunk_size=500):
        yield from _of_incident(incident)


def count(page: Page) -> int:
    """How many paths `everything` gives."""
    visible = page.incidents.visible_to(Viewer.PUBLIC)
    components = page.components.visible_to(Viewer.PUBLIC).count()
    histories = page_count(page, now=timezone.now())
    return (
        len(SUMMARIES + FIXED) + histories + 3 * components + visible.count() + visible.filter(kind=Kind.MAINTENANCE).count()
    )


def touched(page: Page, news: Iterable[Event]) -> list[str] | None:
    """What may read otherwise after `news`, the summaries always; None if that may be everything."""
    found = dict.fromkeys(_named(SUMMARIES))
    for event in news:
        if event.kind in CHANGES_ALL:
            return None
        if event.incident:
            found |= dict.fromkeys(_of_incident(event.incident))
            found |= dict.fromkeys(_histories([page_of(page, event.incident, now=timezone.now())]))
    for component in Component.objects.touched_by(news):
        found |= dict.fromkeys(_of_component(component))
    return list(found)
