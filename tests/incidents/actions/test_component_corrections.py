from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError

from incidents.actions.incidents import component_corrections
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Component, Event, Incident, IncidentUpdate, StatusInterval
from incidents.reporting.status_history import read_histories
from tests.factories import ALICE, make_component, make_incident, make_page, post

pytestmark = pytest.mark.django_db

BEGAN = datetime(2024, 5, 1, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return BEGAN + timedelta(hours=hours)


def an_outage() -> tuple[Component, Component, Incident]:
    """REST API down from 10:00 to 12:00 on a page that began at 09:00 and has a website beside."""
    with time_machine.travel(at(0), tick=False):
        page = make_page()
        api, web = make_component(page), make_component(page, "Website")
    with time_machine.travel(at(1), tick=False):
        incident = make_incident(page, components={api: "major_outage"})
    with time_machine.travel(at(2), tick=False):
        post(incident, status="monitoring")
    with time_machine.travel(at(3), tick=False):
        actions.resolve(incident, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    return api, web, incident


def first(incident: Incident) -> IncidentUpdate:
    update = incident.updates.oldest_first().first()
    assert update is not None
    return update


def history(component: Component) -> list[tuple[str, float, float | None]]:
    rows = component.intervals.as_corrected().order_by("started_at").values_list("status", "started_at", "ended_at")
    return [(status, hours(start) or 0, hours(end)) for status, start, end in rows]


def hours(moment: datetime | None) -> float | None:
    return (moment - BEGAN) / timedelta(hours=1) if moment else None


def correct(update: IncidentUpdate, statuses: dict[Component, str], reason: str = "We looked again.") -> None:
    component_corrections.correct_components(update, statuses, reason=reason, actor=ALICE)


def test_another_status_in_a_past_update_moves_history_and_impact() -> None:
    api, _, incident = an_outage()
    correct(first(incident), {api: "partial_outage"})
    assert history(api) == [("operational", 0, 1), ("partial_outage", 1, 3), ("operational", 3, None)]
    incident.refresh_from_db()
    assert incident.impact == "major"
    last = incident.updates.newest_first()[0].affected.get()
    assert (last.old_status, last.new_status) == ("partial_outage", "operational")


def test_a_component_named_afterwards_was_down_until_the_incident_ended() -> None:
    api, web, incident = an_outage()
    correct(first(incident), {api: "major_outage", web: "degraded_performance"})
    assert history(web) == [("operational", 0, 1), ("degraded_performance", 1, 3), ("operational", 3, None)]
    web.refresh_from_db()
    assert web.status == "operational"
    assert {row.component for row in first(incident).affected.all()} == {api, web}


def test_a_component_taken_off_was_never_down() -> None:
    api, _, incident = an_outage()
    correct(first(incident), {})
    assert {status for status, _, _ in history(api)} == {"operational"}
    assert not first(incident).affected.exists()


def test_history_is_superseded_and_not_deleted() -> None:
    api, _, incident = an_outage()
    before = StatusInterval.objects.count()
    correct(first(incident), {})
    assert StatusInterval.objects.count() > before
    as_reported = read_histories([api], at(0), at(4), zone=incident.page.zone, as_reported=at(3.5))
    assert "major_outage" in str(as_reported)


def test_visitors_see_that_components_were_corrected_and_the_log_says_why() -> None:
    api, web, incident = an_outage()
    correct(first(incident), {web: "partial_outage"})
    revision = first(incident).revisions.get()
    assert "REST API: Major Outage" in revision.change_html
    assert "Website: Partial Outage" in revision.change_html
    entry = AuditEntry.objects.get(verb="update.edited")
    assert entry.details["reason"] == "We looked again."
    assert {event.component for event in Event.objects.filter(kind="history.corrected")} == {api, web}
    assert not Event.objects.filter(kind__in=["history.corrected", "update.edited"], notify=True).exists()


def test_an_open_incident_corrected_changes_what_holds_now() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "major_outage"})
    correct(first(incident), {api: "degraded_performance"})
    api.refresh_from_db()
    assert api.status == "degraded_performance"


def test_a_correction_without_reason_or_of_a_stranger_changes_nothing() -> None:
    api, _, incident = an_outage()
    stranger = make_component(make_page(name="Other", domain="other.example.com"))
    with pytest.raises(ValidationError) as refused:
        correct(first(incident), {}, reason=" ")
    assert "reason" in refused.value.message_dict
    with pytest.raises(ValidationError) as refused:
        correct(first(incident), {api: "major_outage", stranger: "major_outage"})
    assert "components" in refused.value.message_dict
    assert history(api)[1] == ("major_outage", 1, 3)


def test_who_had_read_an_older_version_is_told() -> None:
    _, _, incident = an_outage()
    update = first(incident)
    with pytest.raises(EditConflict):
        component_corrections.correct_components(
            update, {}, reason="Late.", actor=ALICE, expected_version=update.version - 1
        )


def an_outage_said_twice() -> tuple[Component, Incident]:
    """REST API down from 10:00 to 12:00, and at 11:00 an update says so once more."""
    with time_machine.travel(at(0), tick=False):
        api = make_component(make_page())
    with time_machine.travel(at(1), tick=False):
        incident = make_incident(api.page, components={api: "major_outage"})
    with time_machine.travel(at(2), tick=False):
        post(incident, components={api: "major_outage"})
    with time_machine.travel(at(3), tick=False):
        actions.resolve(incident, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    return api, incident


def test_what_a_later_update_said_again_holds_from_its_time_on() -> None:
    api, incident = an_outage_said_twice()
    correct(first(incident), {})
    expected = [("operational", 0, 1), ("operational", 1, 2), ("major_outage", 2, 3), ("operational", 3, None)]
    assert history(api) == expected


def test_another_status_holds_until_a_later_update_says_the_old_one_again() -> None:
    api, incident = an_outage_said_twice()
    correct(first(incident), {api: "partial_outage"})
    expected = [("operational", 0, 1), ("partial_outage", 1, 2), ("major_outage", 2, 3), ("operational", 3, None)]
    assert history(api) == expected


def test_without_one_of_two_incidents_the_other_ends_when_it_was_resolved() -> None:
    with time_machine.travel(at(0), tick=False):
        api = make_component(make_page())
    with time_machine.travel(at(1), tick=False):
        first = make_incident(api.page, components={api: "major_outage"})
    with time_machine.travel(at(2), tick=False):
        other = make_incident(api.page, components={api: "partial_outage"})
    with time_machine.travel(at(3), tick=False):
        actions.resolve(first, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    with time_machine.travel(at(4), tick=False):
        actions.resolve(other, UpdateInput(body="Done."), restore={}, actor=ALICE)
    component_corrections.without(first, actor=ALICE, reason="It was none.")
    harmed = [row for row in history(api) if row[0] != "operational"]
    assert harmed == [("partial_outage", 2, 3), ("partial_outage", 3, 4)]
    assert history(api)[-1] == ("operational", 4, None)
    api.refresh_from_db()
    assert api.status == "operational"
