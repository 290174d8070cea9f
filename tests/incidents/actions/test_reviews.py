"""A draft postmortem between people: comments, and the second person's approval."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.incidents.impact_start import set_impact_start
from incidents.actions.postmortems import postmortem_lifecycle, reviews
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Incident, Postmortem, Revision
from incidents.models.findings import Findings, TimelineLine
from tests.factories import ALICE, BOB, make_component, make_page, make_resolved

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident() -> Incident:
    page = make_page(postmortems_need_approval=True)
    ago = timezone.now() - timedelta(hours=2)
    api = make_component(page)
    return make_resolved(page, at=ago, until=ago + timedelta(hours=1), components={api: "major_outage"})


def saved(incident: Incident, body: str = "Why.", **more: Any) -> Postmortem:
    return postmortem_lifecycle.save_draft(incident, body=body, actor=ALICE, **more)


def line(incident: Incident, text: str = "It fails", *, is_public: bool = True) -> TimelineLine:
    return TimelineLine(incident.started_at, text, is_public)


def test_nothing_is_published_that_no_second_person_has_read(incident: Incident) -> None:
    reviews.request_approval(saved(incident), actor=ALICE)
    with pytest.raises(ValidationError, match="approval"):
        postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)
    assert not Postmortem.objects.get().is_published


def test_who_changed_it_last_cannot_approve_it(incident: Incident) -> None:
    postmortem = saved(incident)
    with pytest.raises(ValidationError, match="You made the last change"):
        reviews.approve(postmortem, actor=ALICE)


def test_a_draft_from_before_there_were_approvals_is_approved_when_its_author_is_known(incident: Incident) -> None:
    saved(incident)
    Postmortem.objects.update(edited_by="")
    with pytest.raises(ValidationError, match="author of this postmortem is unknown"):
        reviews.approve(Postmortem.objects.get(), actor=ALICE)
    saved(incident)
    with pytest.raises(ValidationError, match="You made the last change"):
        reviews.approve(Postmortem.objects.get(), actor=ALICE)
    reviews.approve(Postmortem.objects.get(), actor=BOB)


def test_what_was_approved_can_be_published_by_anybody(incident: Incident) -> None:
    reviews.approve(reviews.request_approval(saved(incident), actor=ALICE), actor=BOB)
    published = postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)
    assert (published.is_published, published.approved_label) == (True, "Bob")
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"postmortem.submitted", "postmortem.approved", "postmortem.published"} <= verbs


@pytest.mark.parametrize("change", ["text", "timeline", "item", "beginning"])
def test_whatever_changes_after_the_approval_has_to_be_approved_again(incident: Incident, change: str) -> None:
    findings = Findings(timeline=(line(incident),))
    reviews.approve(saved(incident, findings=findings), actor=BOB)
    changes: dict[str, dict[str, Any]] = {
        "text": {"body": "Why not."},
        "timeline": {"findings": replace(findings, factors=("Haste",))},
        "item": {"action_items": [ActionItemDraft("Sleep")]},
        "beginning": {"findings": replace(findings, impact_started_at=incident.started_at - timedelta(days=9))},
    }
    with pytest.raises(ValidationError, match="approval"):
        postmortem_lifecycle.publish(incident, actor=ALICE, **{"body": "Why."} | changes[change])


def test_doing_what_was_promised_needs_no_approval(incident: Incident) -> None:
    items = [ActionItemDraft("Sleep", owner="Ada", due_on=date(2030, 1, 1))]
    postmortem = saved(incident, action_items=items)
    reviews.approve(postmortem, actor=BOB)
    pk = postmortem.action_items.get().pk
    done = [replace(items[0], done=True, pk=pk)]
    assert postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, action_items=done).is_published


def test_who_changed_the_beginning_of_the_impact_alone_cannot_approve_it_either(incident: Incident) -> None:
    findings = Findings(impact_started_at=incident.started_at - timedelta(days=9))
    postmortem_lifecycle.save_draft(incident, body="Why.", actor=ALICE)
    changed = postmortem_lifecycle.save_draft(incident, body="Why.", findings=findings, actor=BOB)
    assert changed.edited_by == BOB.ref


def test_nothing_unread_becomes_public_through_the_action_items_of_what_is_public(incident: Incident) -> None:
    items = [ActionItemDraft("Sleep")]
    reviews.approve(saved(incident, action_items=items), actor=BOB)
    published = postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)
    pk = published.action_items.get().pk
    for sneaked in ([ActionItemDraft("Buy our other product", pk=pk)], [*items, ActionItemDraft("And more")], []):
        with pytest.raises(ValidationError, match="more than their completion"):
            saved(incident, action_items=sneaked)
    assert saved(incident, action_items=[ActionItemDraft("Sleep", done=True, pk=pk)]).is_all_done
    postmortem_lifecycle.retract(published, actor=ALICE)
    saved(incident, action_items=[ActionItemDraft("Sleep more", pk=pk)])


def test_an_incident_that_is_opened_again_meanwhile_gets_no_postmortem(incident: Incident) -> None:
    reviews.approve(saved(incident), actor=BOB)
    opened = Incident.objects.get(pk=incident.pk)
    incident_actions.reopen(opened, UpdateInput(status="investigating", body="It is back."), actor=BOB)
    with pytest.raises(ValidationError, match="Resolve the incident"):
        postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)


def test_a_beginning_that_was_set_elsewhere_meanwhile_is_not_set_back(incident: Incident) -> None:
    version = saved(incident).version
    set_impact_start(incident, incident.started_at - timedelta(minutes=7), actor=BOB)
    with pytest.raises(EditConflict):
        saved(incident, findings=Findings(), expected_version=version)


def test_a_revision_needs_an_approval_of_its_own(incident: Incident) -> None:
    reviews.approve(saved(incident), actor=BOB)
    postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)
    with pytest.raises(ValidationError, match="approval"):
        postmortem_lifecycle.publish(incident, body="Why, exactly.", actor=ALICE)


def test_saving_the_same_again_keeps_the_approval_and_the_request(incident: Incident) -> None:
    reviews.request_approval(saved(incident), actor=ALICE)
    assert saved(incident).review_requested_at is not None
    assert saved(incident, body="Other.").review_requested_at is None


def test_an_approval_of_a_text_that_was_not_seen_is_a_conflict(incident: Incident) -> None:
    version = saved(incident).version
    saved(incident, body="Another text.")
    with pytest.raises(EditConflict):
        reviews.approve(Postmortem.objects.get(), actor=BOB, expected_version=version)


def test_returning_a_draft_saves_the_requested_changes(incident: Incident) -> None:
    postmortem = reviews.request_approval(saved(incident), actor=ALICE)
    with pytest.raises(ValidationError, match="Enter a text"):
        reviews.return_for_changes(postmortem, note=" ", actor=BOB)
    assert Postmortem.objects.get().review_requested_at is not None
    reviews.return_for_changes(postmortem, note="Who noticed?", actor=BOB)
    assert Postmortem.objects.get().review_requested_at is None
    assert postmortem.comments.get().body == "Who noticed?"


def test_comments_are_resolved_and_reopened(incident: Incident) -> None:
    comment = reviews.comment(saved(incident), body="Who noticed?\r\n", actor=BOB)
    reviews.set_resolved(comment, actor=ALICE, resolved=True)
    comment.refresh_from_db()
    assert (comment.body, comment.settled_by) == ("Who noticed?", "Alice")
    assert not Postmortem.objects.get().comments.open()
    reviews.set_resolved(comment, actor=BOB, resolved=False)
    assert Postmortem.objects.get().comments.open().count() == 1
    with pytest.raises(ValidationError, match="5,001 characters long"):
        reviews.comment(comment.postmortem, body="x" * 5001, actor=BOB)


def test_an_empty_draft_cannot_be_sent_for_approval(incident: Incident) -> None:
    with pytest.raises(ValidationError, match="Enter a text"):
        reviews.request_approval(saved(incident, body=""), actor=ALICE)


def test_what_is_published_keeps_its_times_when_the_history_is_corrected(incident: Incident) -> None:
    incident.page.postmortems_need_approval = False
    postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, findings=Findings(timeline=(line(incident),)))
    summary = Postmortem.objects.get().account
    assert summary["harms"][0]["spans"]
    incident.updates.all()[0].affected.all().delete()
    assert Postmortem.objects.get().account == summary


def test_changing_the_findings_alone_is_a_revision_that_visitors_see(incident: Incident) -> None:
    incident.page.postmortems_need_approval = False
    findings = Findings(timeline=(line(incident), line(incident, "Ada is ill", is_public=False)))
    postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, findings=findings)
    changed = replace(findings, timeline=(line(incident, "It failed"),))
    assert postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, findings=changed).edited_at
    change = Revision.objects.get().change_html
    assert "<del>" in change
    assert "It" in change
    assert "Ada" not in change
    again = postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, findings=changed)
    assert Revision.objects.count() == 1
    assert not again.has_unpublished_changes


@pytest.mark.parametrize(
    ("findings", "field"),
    [
        ({"timeline": (TimelineLine(timezone.now() + timedelta(days=1), "Later"),)}, "timeline"),
        ({"timeline": (TimelineLine(timezone.now(), "x" * 501),)}, "timeline"),
        ({"timeline": tuple(TimelineLine(timezone.now(), "x") for _ in range(201))}, "timeline"),
        ({"factors": ("two\nlines",)}, "factors"),
        ({"factors": tuple("x" for _ in range(31))}, "factors"),
        ({"seconds": {"nowhere": 5}}, "component_seconds"),
        ({"fixed_at": timezone.now() + timedelta(days=1)}, "fixed_at"),
    ],
)
def test_bad_findings_are_refused_with_their_field(incident: Incident, findings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        saved(incident, findings=Findings(**findings))
    assert field in refused.value.message_dict
    assert not Postmortem.objects.exists()


def test_the_start_of_the_impact_is_kept_on_the_incident(incident: Incident) -> None:
    earlier = incident.started_at - timedelta(minutes=7)
    saved(incident, findings=Findings(impact_started_at=earlier))
    incident.refresh_from_db()
    assert incident.impact_started_at == earlier
    before = Findings(impact_started_at=earlier, detected_at=earlier - timedelta(minutes=1))
    with pytest.raises(ValidationError, match="before the impact began"):
        saved(incident, findings=before)
