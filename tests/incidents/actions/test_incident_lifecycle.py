from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Component, Event, Incident, IncidentUpdate, Revision
from tests.factories import ALICE, BOB, make_component, make_incident, make_page, make_resolved, post

pytestmark = pytest.mark.django_db


def counts() -> tuple[int, ...]:
    return tuple(model._default_manager.count() for model in (Incident, IncidentUpdate, AuditEntry, Event, Revision))


def refused(field: str, **fields: Any) -> str:
    """The message beside `field` when an incident is opened with these fields; nothing may have been written."""
    page = make_page()
    before = counts()
    with pytest.raises(ValidationError) as caught:
        make_incident(page, **fields)
    assert counts() == before
    return " ".join(caught.value.message_dict[field])


def test_opening_writes_one_update_one_audit_entry_and_one_event() -> None:
    page = make_page()
    incident = make_incident(page, title="API outage", notify=True)
    assert incident.updates.get().label == "Investigating"
    entry = AuditEntry.objects.get(verb="incident.opened")
    assert (entry.actor_label, entry.object_ref) == ("Alice", incident.public_id)
    event = Event.objects.get(kind="incident.opened")
    assert (event.incident, event.update, event.notify) == (incident, incident.updates.get(), True)


def test_the_impact_is_derived_from_the_worst_component_unless_given() -> None:
    page = make_page()
    api, web = make_component(page, "API"), make_component(page, "Web")
    both = {api: "degraded_performance", web: "partial_outage"}
    assert make_incident(page, components=both).impact == "major"
    assert make_incident(page, components=both, impact="minor").impact == "minor"
    assert make_incident(page).impact == "none"


def test_the_impact_stays_at_its_worst_when_components_recover() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "major_outage"})
    actions.resolve(incident, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    incident.refresh_from_db()
    assert incident.impact == "critical"


def test_an_update_with_the_same_status_is_called_update() -> None:
    incident = make_incident(make_page())
    assert post(incident, "investigating").label == "Update"
    assert post(incident, "identified").label == "Identified"


def test_monitoring_and_resolution_times_are_kept() -> None:
    start = timezone.now() - timedelta(hours=1)
    incident = make_incident(make_page(), at=start)
    post(incident, "monitoring", at=start + timedelta(minutes=11))
    actions.resolve(incident, UpdateInput(body="Done.", at=start + timedelta(minutes=48)), restore=None, actor=ALICE)
    incident.refresh_from_db()
    assert incident.monitoring_at == start + timedelta(minutes=11)
    assert incident.duration == timedelta(minutes=48)


def test_resolving_offers_to_restore_what_is_red() -> None:
    page = make_page()
    api, web, docs = make_component(page, "API"), make_component(page, "Web"), make_component(page, "Docs")
    incident = make_incident(page, components={api: "major_outage", web: "partial_outage", docs: "operational"})
    make_incident(page, components={web: "partial_outage"})
    assert actions.restorable_components(incident) == {api: "operational", web: "partial_outage"}


def test_resolving_restores_what_it_was_told_to() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "major_outage"})
    actions.resolve(incident, UpdateInput(body="Done."), restore=actions.restorable_components(incident), actor=ALICE)
    assert Component.objects.get().status == "operational"


def test_reopening_clears_the_resolution_and_keeps_the_history() -> None:
    incident = make_resolved(make_page())
    actions.reopen(incident, UpdateInput(body="It is back."), actor=BOB)
    incident.refresh_from_db()
    assert (incident.status, incident.resolved_at) == ("investigating", None)
    assert incident.updates.count() == 3
    assert Event.objects.filter(kind="incident.reopened").exists()


def test_a_resolved_incident_takes_no_update_and_an_open_one_is_not_reopened() -> None:
    page = make_page()
    with pytest.raises(ValidationError, match="Reopen it"):
        post(make_resolved(page))
    with pytest.raises(ValidationError, match="cannot be reopened"):
        actions.reopen(make_incident(page), UpdateInput(body="Again."), actor=ALICE)


def test_editing_keeps_the_old_text_and_the_posted_time() -> None:
    update = make_incident(make_page(), body="Since 13:00.").updates.get()
    shown = update.display_at
    actions.edit_update(update, body="Since 14:00.", actor=BOB, expected_version=1)
    update.refresh_from_db()
    revision = Revision.objects.get()
    assert (update.body, update.display_at, revision.body) == ("Since 14:00.", shown, "Since 13:00.")
    assert revision.change_html == "Since <del>13:00.</del><ins>14:00.</ins>"
    assert update.edited_at is not None


def test_saving_an_update_unchanged_leaves_no_trace_on_the_page() -> None:
    update = make_incident(make_page(), body="Same.").updates.get()
    actions.edit_update(update, body="Same.", actor=BOB)
    update.refresh_from_db()
    assert update.edited_at is None
    assert not Revision.objects.exists()


def test_the_second_of_two_editors_gets_what_the_first_one_saved() -> None:
    update = make_incident(make_page()).updates.get()
    actions.edit_update(update, body="First.", actor=ALICE, expected_version=1)
    with pytest.raises(EditConflict) as caught:
        actions.edit_update(update, body="Second.", actor=BOB, expected_version=1)
    assert caught.value.current.body == "First."
    assert IncidentUpdate.objects.get().body == "First."


def test_the_second_of_two_updates_from_the_same_version_is_a_conflict() -> None:
    incident = make_incident(make_page())
    post(incident, expected_version=1)
    with pytest.raises(EditConflict):
        post(incident, expected_version=1, actor=BOB)
    assert incident.updates.count() == 2


def test_a_repeated_submit_makes_one_incident_and_one_update() -> None:
    page = make_page()
    first = make_incident(page, submission_key="k1")
    assert make_incident(page, submission_key="k1") == first
    once = post(first, submission_key="k2", expected_version=1)
    assert post(first, submission_key="k2", expected_version=1) == once
    resolved = actions.resolve(first, UpdateInput(body="Done.", submission_key="k3"), restore=None, actor=ALICE)
    assert actions.resolve(first, UpdateInput(body="Done.", submission_key="k3"), restore=None, actor=ALICE) == resolved
    assert (Incident.objects.count(), IncidentUpdate.objects.count()) == (1, 3)
    assert Event.objects.filter(incident=first).count() == 3


def test_a_title_is_one_line_and_not_empty() -> None:
    assert "single line" in refused("title", title="API\r\nBcc: x@example.com")
    assert "missing" in refused("title", title="   ")
    assert "256 characters" in refused("title", title="x" * 256)


def test_a_body_must_be_there_and_be_harmless() -> None:
    assert "Enter a message" in refused("body", body="")
    assert "<script>" in refused("body", body="<script>alert(1)</script>")
    assert "not closed" in refused("body", body="[" * 10_000)


def test_times_are_whole_and_not_in_the_future() -> None:
    assert "time zone" in refused("at", at=datetime(2022, 9, 21, 14, 14))  # noqa: DTZ001 - must be refused
    assert "future" in refused("at", at=timezone.now() + timedelta(hours=1))
    assert "too long ago" in refused("at", at=datetime(1970, 1, 1, tzinfo=UTC))


def test_an_update_cannot_be_older_than_the_one_before_it() -> None:
    incident = make_incident(make_page())
    with pytest.raises(ValidationError, match="before the previous update"):
        post(incident, at=timezone.now() - timedelta(days=1))


def test_states_are_the_ones_of_its_kind() -> None:
    assert "investigating, identified" in refused("status", status="scheduled")
    assert "not an impact" in refused("impact", impact="huge")


def test_components_must_be_of_this_page_and_their_status_known() -> None:
    page, other = make_page(), make_page(name="Other")
    foreign, own = make_component(other), make_component(page)
    with pytest.raises(ValidationError, match="no longer a component of this page"):
        make_incident(page, components={foreign: "major_outage"})
    with pytest.raises(ValidationError, match="not a component status"):
        make_incident(page, components={own: "red"})
    assert Incident.objects.count() == 0


def test_hiding_needs_a_reason_and_takes_an_incident_from_the_public() -> None:
    incident = make_incident(make_page())
    with pytest.raises(ValidationError, match="reason is missing"):
        actions.hide(incident, actor=ALICE, reason="")
    actions.hide(incident, actor=ALICE, reason="Test entry")
    from incidents.visibility import Viewer

    assert not Incident.objects.visible_to(Viewer.PUBLIC).exists()
    assert Incident.objects.visible_to(Viewer.STAFF).exists()
