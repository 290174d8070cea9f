"""What readers are told after the end, and that the end stays where it was."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import follow_ups, incident_lifecycle, merging
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.models import Event, Incident, Postmortem
from incidents.reporting.periods import Period
from incidents.reporting.response_time_data import incident_times
from incidents.reporting.response_times import Measure
from incidents.visibility import Viewer
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved

pytestmark = pytest.mark.django_db


def make_ended() -> Incident:
    page, ago = make_page(), timezone.now() - timedelta(days=2)
    return make_resolved(
        page, at=ago, until=ago + timedelta(hours=1), components={make_component(page): "major_outage"}
    )


def test_an_incident_that_is_over_stays_over_since_when_it_was() -> None:
    incident = make_ended()
    ended = incident.resolved_at
    update = follow_ups.follow_up(incident, UpdateInput(body="We changed the alarm."), actor=ALICE)
    incident.refresh_from_db()
    assert (incident.status, incident.resolved_at) == ("resolved", ended)
    assert (update.status, update.label) == ("resolved", "Update")
    event = Event.objects.get(update=update)
    assert (event.kind, event.notify) == ("incident.updated", True)


def test_it_does_not_make_the_incident_last_longer_in_analytics() -> None:
    incident = make_ended()
    months = [Period.month_at(incident.started_at, incident.page.zone)]
    before = incident_times(incident.page, months, viewer=Viewer.STAFF)[0].took(Measure.RESOLVE)
    follow_ups.follow_up(incident, UpdateInput(body="Done."), actor=ALICE)
    assert incident_times(incident.page, months, viewer=Viewer.STAFF)[0].took(Measure.RESOLVE) == before


def test_an_open_incident_gets_an_ordinary_update() -> None:
    with pytest.raises(ValidationError, match="open again"):
        follow_ups.follow_up(make_incident(make_page()), UpdateInput(body="Done."), actor=ALICE)


def test_what_was_deleted_or_joined_with_another_gets_none() -> None:
    page = make_page()
    deleted, target, joined = (make_resolved(page) for _ in range(3))
    incident_lifecycle.hide(deleted, reason="A test.", actor=ALICE)
    merging.merge(joined, into=target, reason="One failure.", actor=ALICE)
    for incident in (deleted, joined):
        with pytest.raises(ValidationError, match="is no longer public"):
            follow_ups.follow_up(incident, UpdateInput(body="Done."), actor=ALICE)
    follow_ups.follow_up(target, UpdateInput(body="Done."), actor=ALICE)


def test_sending_it_twice_posts_it_once() -> None:
    incident = make_ended()
    twice = [
        follow_ups.follow_up(incident, UpdateInput(body="Done.", submission_key="k"), actor=ALICE) for _ in range(2)
    ]
    assert twice[0] == twice[1]


def test_it_is_proposed_when_everything_promised_is_done_and_remembered_when_it_was_said() -> None:
    incident = make_ended()
    items = [ActionItemDraft("Raise an alarm", done=True), ActionItemDraft("Upgrade")]
    postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, action_items=items)
    assert not Postmortem.objects.get().is_all_done
    done = [ActionItemDraft(item.text, done=True) for item in items]
    postmortem_lifecycle.save_draft(incident, body="Why.", actor=ALICE, action_items=done)
    postmortem = Postmortem.objects.get()
    assert postmortem.is_all_done
    assert follow_ups.text_of(postmortem).endswith("- Raise an alarm\n- Upgrade")
    follow_ups.follow_up(incident, UpdateInput(body="All done."), actor=ALICE)
    postmortem.refresh_from_db()
    assert postmortem.followed_up_at is not None
