"""Read the times of incidents from the database, for the response times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Min

from incidents.models import IncidentUpdate, Page, StatusInterval
from incidents.reporting.periods import Period
from incidents.reporting.response_times import IncidentTimes
from incidents.visibility import Viewer

Steps = dict[int, list[tuple[datetime, str]]]


def incident_times(page: Page, months: Sequence[Period], *, viewer: Viewer) -> list[IncidentTimes]:
    """Return the times of incidents, without maintenances, that began in consecutive `months`. Three queries."""
    start, end = months[0].window(page.zone)[0], months[-1].window(page.zone)[1]
    incidents = page.incidents.incidents().visible_to(viewer).started_between(start, end)
    steps: Steps = defaultdict(list)
    updates = IncidentUpdate.objects.of_incidents(incidents).oldest_first()
    for incident, at, status in updates.values_list("incident", "display_at", "status"):
        steps[incident].append((at, status))
    intervals = StatusInterval.objects.as_corrected().impaired().caused_by(incidents)
    first_impact = dict(intervals.values_list("update__incident").annotate(first=Min("started_at")))
    return [
        IncidentTimes(Period.month_at(began, page.zone), impact, stated, first_impact.get(pk), steps[pk])
        for pk, began, impact, stated in incidents.values_list("pk", "started_at", "impact", "impact_started_at")
    ]
