"""What analytics reads: figures follow the rows, so whoever corrects a time corrects them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from incidents.actions.incidents import corrections, incident_lifecycle
from incidents.actions.incidents.impact_start import set_impact_start
from incidents.actions.update_input import UpdateInput
from incidents.models import AuditEntry, Event, Incident, Page
from incidents.reporting.periods import Period
from incidents.reporting.response_time_data import incident_times
from incidents.reporting.response_times import Measure, figure
from incidents.visibility import Viewer
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved, post

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 10, 5, 12, tzinfo=UTC)
OCTOBER = Period.month_at(NOON, UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def incident(page: Page) -> Incident:
    """Its component fails at noon, when it is declared; monitored after 30 minutes, resolved after 50."""
    api = make_component(page)
    made = make_incident(page, components={api: "major_outage"}, at=NOON)
    post(made, "monitoring", at=NOON + 30 * MINUTE)
    incident_lifecycle.resolve(
        made, UpdateInput(body="Over.", at=NOON + 50 * MINUTE), restore={api: "operational"}, actor=ALICE
    )
    return made


def medians(page: Page, viewer: Viewer = Viewer.PUBLIC) -> list[float | None]:
    all_times = incident_times(page, [OCTOBER], viewer=viewer)
    all_medians = [figure(all_times, measure).median for measure in Measure]
    return [None if median is None else median / MINUTE for median in all_medians]


def test_times_are_those_of_the_updates_and_of_the_status_history(page: Page, incident: Incident) -> None:
    assert medians(page) == [None, 30, 50]


def test_a_stated_start_moves_every_figure_at_once(page: Page, incident: Incident) -> None:
    set_impact_start(incident, NOON - 4 * MINUTE, actor=ALICE)
    assert medians(page) == [4, 34, 54]
    set_impact_start(incident, None, actor=ALICE)
    assert medians(page) == [None, 30, 50]


def test_a_corrected_time_moves_the_figures(page: Page, incident: Incident) -> None:
    fixed = incident.updates.get(status="monitoring")
    corrections.correct_update_time(fixed, at=NOON + 20 * MINUTE, actor=ALICE)
    assert medians(page) == [None, 20, 50]


def test_a_start_that_was_corrected_away_is_forgotten(page: Page, incident: Incident) -> None:
    first = incident.updates.get(status="investigating")
    corrections.correct_update_time(first, at=NOON + 10 * MINUTE, actor=ALICE)
    assert medians(page) == [None, 20, 40]


def test_the_impact_begins_when_a_component_fails_and_not_with_planned_work(page: Page) -> None:
    api, website = make_component(page), make_component(page, "Website")
    made = make_incident(page, components={website: "under_maintenance"}, at=NOON)
    post(made, "identified", components={api: "partial_outage"}, at=NOON + 10 * MINUTE)
    post(made, "monitoring", at=NOON + 15 * MINUTE)
    assert medians(page) == [None, 5, None]


def test_another_month_another_page_and_maintenances_are_left_out(page: Page, incident: Incident) -> None:
    make_resolved(page, at=NOON - timedelta(days=30), until=NOON - timedelta(days=29))
    make_resolved(make_page(name="Other"), at=NOON, until=NOON + MINUTE)
    Incident.objects.create(
        page=page, kind="maintenance", title="Work", status="completed", started_at=NOON, last_update_at=NOON,
        scheduled_for=NOON, scheduled_until=NOON + MINUTE,
    )  # fmt: skip
    assert len(incident_times(page, [OCTOBER], viewer=Viewer.STAFF)) == 1


def test_hidden_incidents_count_for_staff_alone(page: Page, incident: Incident) -> None:
    incident_lifecycle.hide(incident, actor=ALICE, reason="A test.")
    assert medians(page, Viewer.PUBLIC) == [None, None, None]
    assert medians(page, Viewer.STAFF) == [None, 30, 50]


def test_an_incident_belongs_to_the_month_of_the_pages_zone() -> None:
    page = make_page(time_zone="Pacific/Auckland")
    make_incident(page, at=datetime(2025, 9, 30, 11, 30, tzinfo=UTC))
    assert [times.month.code for times in incident_times(page, [OCTOBER], viewer=Viewer.PUBLIC)] == ["2025-10"]


def test_stating_a_start_is_recorded_with_the_old_and_the_new_time_and_told_nobody(incident: Incident) -> None:
    set_impact_start(incident, NOON - MINUTE, actor=ALICE)
    entry, event = AuditEntry.objects.first(), Event.objects.last()
    assert entry is not None
    assert event is not None
    assert (entry.verb, entry.actor_label, entry.object_ref) == ("incident.impact_start", "Alice", incident.public_id)
    assert entry.details == {"old": None, "new": (NOON - MINUTE).isoformat()}
    assert (event.kind, event.incident, event.notify) == ("incident.impact_start", incident, False)


def test_stating_the_same_again_writes_nothing(incident: Incident) -> None:
    set_impact_start(incident, NOON - MINUTE, actor=ALICE)
    before = AuditEntry.objects.count()
    set_impact_start(incident, NOON - MINUTE, actor=ALICE)
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("at", "complaint"),
    [
        (NOON + MINUTE, "Enter a time before the first update"),
        (datetime(2999, 1, 1, tzinfo=UTC), "future"),
        (datetime(1980, 1, 1, tzinfo=UTC), "too long ago"),
        (datetime(2025, 10, 5, 11), "Add a time zone"),  # noqa: DTZ001 - the action must refuse a naive datetime
    ],
)
def test_a_start_that_cannot_be_is_refused_and_nothing_written(
    incident: Incident, at: datetime, complaint: str
) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(ValidationError, match=complaint) as refusal:
        set_impact_start(incident, at, actor=ALICE)
    assert "impact_started_at" in refusal.value.message_dict
    incident.refresh_from_db()
    assert (incident.impact_started_at, AuditEntry.objects.count()) == (None, before)
