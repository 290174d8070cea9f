from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents.backfilling import PastUpdate, backfill
from incidents.models import Component, Event, Incident, Page
from tests.factories import ALICE, make_component, make_incident, make_page

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


def ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


@pytest.fixture
def page() -> Page:
    return make_page()


def story(*steps: tuple[str, float, dict[Component, str]]) -> list[PastUpdate]:
    return [PastUpdate(status, f"It was {status}.", ago(hours), components) for status, hours, components in steps]


def add(page: Page, updates: list[PastUpdate], **more: Any) -> Incident:
    fields: dict[str, Any] = {"title": "Slow API", "actor": ALICE}
    return backfill(page, updates=updates, **fields | more)


def spans(component: Component) -> list[tuple[str, float | None]]:
    rows = component.intervals.as_corrected().order_by("started_at")
    return [(row.status, (NOW - row.ended_at) / timedelta(hours=1) if row.ended_at else None) for row in rows]


def test_a_past_incident_has_its_updates_times_and_impact(page: Page) -> None:
    api = make_component(page)
    updates = story(
        ("investigating", 9, {api: "major_outage"}),
        ("monitoring", 8, {api: "degraded_performance"}),
        ("resolved", 7, {}),
    )
    incident = add(page, updates)
    assert (incident.status, incident.impact) == ("resolved", "critical")
    assert (incident.started_at, incident.monitoring_at, incident.resolved_at) == (ago(9), ago(8), ago(7))
    assert [update.display_at for update in incident.updates.oldest_first()] == [ago(9), ago(8), ago(7)]
    assert spans(api)[:2] == [("major_outage", 8), ("degraded_performance", 7)]


def test_what_components_have_now_stays_and_so_does_what_was_worse(page: Page) -> None:
    api = make_component(page)
    add(page, story(("investigating", 9, {api: "major_outage"}), ("resolved", 8, {api: "operational"})))
    make_incident(page, components={api: "partial_outage"})
    add(page, story(("investigating", 10, {api: "degraded_performance"}), ("resolved", 7, {})), title="Again")
    api.refresh_from_db()
    assert api.status == "partial_outage"
    assert spans(api)[:3] == [("degraded_performance", 9), ("major_outage", 8), ("degraded_performance", 7)]
    assert spans(api)[-1] == ("partial_outage", None)


def test_subscribers_are_notified_only_on_request(page: Page) -> None:
    updates = story(("investigating", 9, {}), ("resolved", 8, {}))
    add(page, updates)
    assert not Event.objects.notifying().exists()
    incident = add(page, updates, title="Told", notify=True)
    event = Event.objects.notifying().get()
    assert (event.incident, event.kind, event.update and event.update.status) == (
        incident,
        "incident.resolved",
        "resolved",
    )


def test_a_second_submit_creates_no_second_incident(page: Page) -> None:
    updates = story(("investigating", 9, {}), ("resolved", 8, {}))
    assert add(page, updates, submission_key="k") == add(page, updates, submission_key="k")
    assert page.incidents.count() == 1


@pytest.mark.parametrize(
    "steps",
    [
        [("resolved", 1)],
        [("investigating", 1), ("resolved", 2)],
        [("investigating", 3), ("monitoring", 2)],
        [("resolved", 3), ("resolved", 2)],
        [("investigating", 3), ("resolved", -1)],
        [("scheduled", 3), ("resolved", 1)],
    ],
)
def test_updates_without_order_or_resolution_are_rejected(page: Page, steps: list[tuple[str, float]]) -> None:
    api = make_component(page)
    before = api.intervals.count()
    with pytest.raises(ValidationError) as refused:
        add(page, story(*((status, hours, {api: "major_outage"}) for status, hours in steps)))
    assert "updates" in refused.value.message_dict
    assert (page.incidents.count(), api.intervals.count()) == (0, before)
