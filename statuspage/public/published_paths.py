"""The paths that are published for a page, and which of them an event changes. Views in `public/urls.py` render them.

None depends on a query string: the application answers requests that have one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from django.urls import reverse

from incidents.models import Component, Event, Incident, Page
from incidents.models.event_kinds import PageChange
from incidents.models.states import Kind
from incidents.reporting.periods import Period
from incidents.visibility import Viewer
from statuspage.public.history import page_count, page_of
from statuspage.public.theme import accent_code
from statuspage.publishing.path_source import MANY_EVENTS, ChangedPaths, Stale

# Paths that state the time: published at least once a minute.
CLOCKS = ("home", "live")
# Paths that show the current state, so nearly every event changes them.
API_V2 = (
    *("v2_summary", "v2_status", "v2_components", "v2_incidents", "v2_unresolved", "v2_resolved"),
    *("v2_maintenances", "v2_upcoming", "v2_active"),
)
FEEDS = ("atom", "rss", "json_feed", "maintenances_ics", "history_json", "all_uptime_json")
SUMMARIES = (*CLOCKS, *FEEDS, *API_V2, "uptime", "badge", "embed_frame")
# Paths that change only with the code or the page's name.
FIXED = ("robots", "missing", "away", "embed_script")
# Their content is in their names. Pages request the old ones until all pages are rendered again.
STYLESHEETS_AND_LOGOS = ("/accent-", "/logo-")
# URL names for each component whose uptime is published.
SHOWCASED = ("component_uptime", "uptime_json", "uptime_csv")
PIECE = 500


def everything(page: Page, *, now: datetime) -> Iterator[str]:
    """Yield all paths of `page`: those of incidents last, the newest incident first."""
    yield from present(page, now=now)
    for incident in page.incidents.with_public_path().in_batches(PIECE):
        yield from of_incident(incident)


def count(page: Page, *, now: datetime) -> int:
    """Return the number of paths that `everything` yields."""
    answering = page.incidents.with_public_path()
    return len(present(page, now=now)) + answering.count() + answering.maintenances().count()


def present(page: Page, *, now: datetime) -> list[str]:
    """Return all paths but those of incidents. The beginning of a new day changes these."""
    components = list(page.components.visible_to(Viewer.PUBLIC))
    paths = [*_named(SUMMARIES + FIXED), *_histories(range(1, page_count(page, now=now) + 1))]
    paths += [path for component in components for path in _of_component(component)]
    return paths + _stylesheets_and_logos(page) + _reports(page, components, now=now)


def hidden(page: Page) -> list[str]:
    """Return the paths of incidents that visitors may no longer see."""
    seen = page.incidents.with_public_path().values("pk")
    return [path for incident in page.incidents.exclude(pk__in=seen) for path in of_incident(incident)]


def changed(page: Page, events: Sequence[Event], *, since: datetime, now: datetime) -> ChangedPaths:
    """Return the paths that `events` may change, and those that the time since `since` may change."""
    changes = _changes(events)
    stale = Stale.NOTHING
    if _hour(since, page) != _hour(now, page) or PageChange.ALL_BUT_INCIDENTS in changes:
        stale = Stale.PRESENT
    if len(events) > MANY_EVENTS or PageChange.INCIDENTS in changes:
        stale = Stale.EVERYTHING
    if not events or len(events) > MANY_EVENTS:
        return ChangedPaths(_named(SUMMARIES if events else CLOCKS), stale)
    paths = _named(SUMMARIES)
    paths += _stylesheets_and_logos(page) if PageChange.ASSETS in changes else []
    for incident in _incidents(page, events):
        paths += of_incident(incident)
    paths += _changed_histories(page, events, now=now)
    components = list(Component.objects.changed_by(events))
    paths += [path for component in components for path in _of_component(component)]
    return ChangedPaths(list(dict.fromkeys(paths + _reports(page, components, now=now))), stale)


def _hour(moment: datetime, page: Page) -> datetime:
    return moment.astimezone(page.zone).replace(minute=0, second=0, microsecond=0)


def summaries() -> list[str]:
    return _named(SUMMARIES)


def is_stylesheet_or_logo(path: str) -> bool:
    return path.startswith(STYLESHEETS_AND_LOGOS)


def clocks() -> list[str]:
    return _named(CLOCKS)


def of_incident(incident: Incident) -> list[str]:
    # Without its JSON, which contains the current status of its components and changes with their later incidents.
    paths = [reverse("public:incident", args=[incident.public_id])]
    if incident.kind == Kind.MAINTENANCE:
        paths.append(reverse("public:maintenance_ics", args=[incident.public_id]))
    return paths


def _changes(events: Iterable[Event]) -> PageChange:
    """Return the union of what `events` change."""
    return reduce(or_, (event.properties.page_change for event in events), PageChange.NOTHING)


def _incidents(page: Page, events: Sequence[Event]) -> list[Incident]:
    changes = _changes(events)
    incidents = {event.incident.pk: event.incident for event in events if event.incident}
    if PageChange.MERGED_INCIDENTS in changes:
        incidents |= {incident.pk: incident for incident in page.incidents.merged_into_any(list(incidents))}
    if PageChange.PLANNED_MAINTENANCES in changes:
        incidents |= {incident.pk: incident for incident in page.incidents.ahead()}
    return list(incidents.values())


def _changed_histories(page: Page, events: Iterable[Event], *, now: datetime) -> list[str]:
    about = [event for event in events if event.incident]
    numbers = {page_of(page, event.incident.happened_at, now=now) for event in about if event.incident}
    if PageChange.HISTORY in _changes(about) or any(number > 1 for number in numbers):
        return _histories(range(1, page_count(page, now=now) + 1))
    # The first page contains the current status of all components, for programs.
    return _histories([1])


def histories_beyond(page: Page, published: Iterable[str], *, now: datetime) -> list[str]:
    """Return those of `published` that are history pages which no longer exist, because the history became shorter."""
    older = reverse("public:history") + "/"
    history_paths = [path for path in published if path.startswith(older)]
    known = set(_histories(range(1, page_count(page, now=now) + 1))) if history_paths else set()
    return [path for path in history_paths if path not in known]


def _named(names: Iterable[str]) -> list[str]:
    return [reverse(f"public:{name}") for name in names]


def _histories(numbers: Iterable[int]) -> list[str]:
    return [reverse("public:history_page", args=[n]) if n > 1 else reverse("public:history") for n in numbers]


def _of_component(component: Component) -> list[str]:
    names = (*(SHOWCASED if component.showcase else ()), "component_badge")
    return [reverse(f"public:{name}", args=[component.public_id]) for name in names]


def _stylesheets_and_logos(page: Page) -> list[str]:
    paths = [reverse("public:accent", args=[accent_code(page.accents)])] if page.accents else []
    return paths + sorted({reverse("public:logo", args=[logo.digest]) for logo in page.logos})


def _reports(page: Page, components: Iterable[Component], *, now: datetime) -> list[str]:
    """Return the paths of the current month. The application answers for older reports, which rarely change."""
    paths = _named(["analytics"]) if page.analytics_public else []
    if page.reports_public:
        month = Period.month_at(now, page.zone).code
        paths += _named(["reports", "reports_csv"])
        for component in (component for component in components if component.showcase):
            paths += [reverse(f"public:{name}", args=[component.public_id, month]) for name in ("report", "report_csv")]
    return paths
