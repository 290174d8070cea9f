"""What visitors may see: the home page, incident pages and feeds are rendered from it.

Everything goes through `visible_to(Viewer.PUBLIC)`. The number of queries does not grow with the number of rows.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from django.db.models import prefetch_related_objects
from django.utils.safestring import SafeString

from incidents.models import ActionItem, Component, ComponentGroup, Incident, IncidentUpdate, Page, Postmortem
from incidents.models.incidents import IncidentQuerySet
from incidents.models.states import ComponentStatus
from incidents.models.updates import timeline
from incidents.postmortem.summary import PostmortemSummary
from incidents.reporting.uptime import midnight
from incidents.status import Headline, page_status, worst_status
from incidents.statuspage_json import published_postmortem
from incidents.text.maintenance_window import days_until
from incidents.text.wording import affected_sentence
from incidents.visibility import Viewer
from statuspage.common.shared_reads import shared
from statuspage.public.past_incidents import home_html

PAST_DAYS = 15
OPEN_ALL_UP_TO = 24


@dataclass(frozen=True)
class ComponentSection:
    """A group with its visible components, or consecutive components without a group (`group` is None)."""

    group: ComponentGroup | None
    components: list[Component]
    is_open: bool

    @property
    def status(self) -> ComponentStatus:
        """Return the worst status of its components."""
        return worst_status(component.status for component in self.components)


@dataclass(frozen=True)
class PastDay:
    date: date
    incidents: list[Incident]

    @property
    def articles(self) -> list[SafeString]:
        """Return the incidents as HTML."""
        return [home_html(incident) for incident in self.incidents]


@dataclass(frozen=True)
class Upcoming:
    """`when`: how soon it starts, as `in 3 days`. `repeats`: later ones of its series with the same texts."""

    maintenance: Incident
    when: str
    repeats: list[Incident]


@dataclass(frozen=True)
class PageState:
    """`days`: today and the 14 days before in the page's time zone, each with the ended incidents last updated on it.

    `changed_at`: when this state last changed; the beginning of a day is a change.
    """

    page: Page
    headline: Headline
    sections: list[ComponentSection]
    open_incidents: list[Incident]
    running: list[Incident]
    upcoming: list[Upcoming]
    days: list[PastDay]
    changed_at: datetime

    @property
    def components(self) -> list[Component]:
        return [component for section in self.sections for component in section.components]


def page_state(page: Page, *, now: datetime) -> PageState:
    """At most six queries."""
    visible = page.incidents.visible_to(Viewer.PUBLIC)
    components = shown_components(page)
    today = now.astimezone(page.zone).date()
    since = midnight(today - timedelta(days=PAST_DAYS - 1), page.zone)
    open_incidents, ahead, past = read_incidents(
        visible.unresolved().newest_first(),
        visible.ahead().soonest_first(),
        visible.ended().last_updated_since(since).newest_first(),
    )
    return PageState(
        page=page,
        headline=page_status(
            [c.status for c in components],
            open_impacts=[i.impact for i in open_incidents],
        ),
        sections=_sections(components),
        open_incidents=open_incidents,
        running=[maintenance for maintenance in ahead if maintenance.is_running],
        upcoming=_upcoming([maintenance for maintenance in ahead if maintenance.is_upcoming], today, page.zone),
        days=_days(past, today=today, zone=page.zone),
        changed_at=max(page.updated_at, midnight(today, page.zone)),
    )


@shared
def shown_components(page: Page) -> list[Component]:
    """Return the components that visitors see, with their groups, in the order of the page. One query."""
    return list(page.components.visible_to(Viewer.PUBLIC).in_page_order())


def showcased_components(page: Page) -> list[Component]:
    """Return those of the shown components whose uptime is public."""
    return [component for component in shown_components(page) if component.showcase]


def read_incidents(*lists: IncidentQuerySet) -> list[list[Incident]]:
    """Return the incidents of each of `lists` with their postmortems and updates.

    One query for each list, and two for the updates of those that were not read before in the same publication. An
    incident that was read before is the same object again.
    """
    known = _incidents_of_publication()
    before = set(known)
    results = [
        [known.setdefault(incident.pk, incident) for incident in incidents.select_related("postmortem")]
        for incidents in lists
    ]
    prefetch_related_objects([incident for pk, incident in known.items() if pk not in before], timeline())
    return results


@shared
def _incidents_of_publication() -> dict[int, Incident]:
    """Return what `read_incidents` has read so far, by primary key; nothing outside of a publication."""
    return {}


@shared
def newest_incidents(page: Page, *, count: int, upcoming_first: bool = False) -> list[Incident]:
    """Return the `count` most recently updated incidents, for feeds; upcoming maintenances first if requested."""
    visible = page.incidents.visible_to(Viewer.PUBLIC)
    ordered = visible.upcoming_first() if upcoming_first else visible.newest_first()
    (incidents,) = read_incidents(ordered[:count])
    return incidents


@dataclass(frozen=True)
class IncidentReport:
    """`postmortem` is set only while it is published; `summary` is what it shows besides its text. `affected` is the
    last line of the report, empty without affected components."""

    incident: Incident
    updates: list[IncidentUpdate]
    postmortem: Postmortem | None
    summary: PostmortemSummary | None
    action_items: list[ActionItem]
    affected: str

    @property
    def done_count(self) -> int:
        return sum(item.done_at is not None for item in self.action_items)


def incident_report(page: Page, public_id: str) -> IncidentReport | None:
    """Return everything published about the incident, or None if visitors may not see it. At most seven queries."""
    visible = page.incidents.visible_to(Viewer.PUBLIC)
    incident = visible.with_details().prefetch_related("updates__revisions").filter(public_id=public_id).first()
    if incident is None:
        return None
    postmortem = published_postmortem(incident)
    if postmortem:
        prefetch_related_objects([postmortem], "action_items", "revisions")
    return IncidentReport(
        incident=incident,
        updates=list(incident.updates.all()),
        postmortem=postmortem,
        summary=PostmortemSummary.read(postmortem.account) if postmortem else None,
        action_items=list(postmortem.action_items.all()) if postmortem else [],
        affected=_affected(incident),
    )


def _affected(incident: Incident) -> str:
    sentence = affected_sentence(incident.affected_components())
    if not incident.is_maintenance:
        return sentence
    verb = "affected" if incident.is_resolved else "affects"
    return sentence.replace("This incident affected", f"This scheduled maintenance {verb}", 1)


def _sections(components: list[Component]) -> list[ComponentSection]:
    runs = [(group, list(members)) for group, members in groupby(components, key=lambda c: c.group)]
    few = len(components) <= OPEN_ALL_UP_TO
    return [
        ComponentSection(
            group,
            members,
            is_open=few or any(c.status != ComponentStatus.OPERATIONAL for c in members),
        )
        for group, members in runs
    ]


def _upcoming(maintenances: list[Incident], today: date, zone: tzinfo) -> list[Upcoming]:
    """Return maintenances by start; those of one series with the same texts are one entry."""
    announcements: dict[object, Upcoming] = {}
    for maintenance in maintenances:
        key: object = maintenance.pk
        if maintenance.series_id:
            key = maintenance.series_id, maintenance.title, maintenance.updates.all()[0].body
        if key in announcements:
            announcements[key].repeats.append(maintenance)
        else:
            announcements[key] = Upcoming(maintenance, days_until(maintenance.window[0], today, zone), [])
    return list(announcements.values())


def _days(incidents: list[Incident], *, today: date, zone: tzinfo) -> list[PastDay]:
    by_day: dict[date, list[Incident]] = {today - timedelta(days=n): [] for n in range(PAST_DAYS)}
    for incident in incidents:
        by_day[min(today, incident.last_update_at.astimezone(zone).date())].append(incident)
    return [PastDay(day, day_incidents) for day, day_incidents in by_day.items()]
