from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.errors import EditConflict
from incidents.models import ActionItem, Event, Postmortem, Revision
from tests.factories import ALICE, BOB, make_incident, make_page, make_resolved

pytestmark = pytest.mark.django_db

ITEMS = [
    ActionItemDraft("Raise an alarm", owner="Ops", due_on=date(2026, 1, 31)),
    ActionItemDraft("Upgrade", done=True),
]


def test_a_draft_is_saved_and_notifies_nobody() -> None:
    incident = make_resolved(make_page())
    draft = actions.save_draft(incident, body="What happened", actor=ALICE)
    assert (draft.draft, draft.is_published) == ("What happened", False)
    assert not Event.objects.filter(postmortem=draft).exists()


def test_publishing_renders_and_records_once() -> None:
    incident = make_resolved(make_page())
    at = timezone.now()
    postmortem = actions.publish(incident, body="# Why\n\nBecause.", actor=ALICE, action_items=ITEMS, at=at)
    assert postmortem.published_at == at
    assert "<h2>Why</h2>" in postmortem.body_html
    assert [item.done_at is not None for item in postmortem.action_items.all()] == [False, True]
    assert Event.objects.get(kind="postmortem.published").notify is True


def test_publishing_twice_is_publishing_once() -> None:
    incident = make_resolved(make_page())
    actions.publish(incident, body="Why.", actor=ALICE, action_items=ITEMS, expected_version=0)
    actions.publish(incident, body="Why.", actor=ALICE, action_items=ITEMS, expected_version=0)
    assert Event.objects.filter(kind="postmortem.published").count() == 1
    assert ActionItem.objects.count() == 2


def test_revising_keeps_the_old_text_and_the_first_time() -> None:
    incident = make_resolved(make_page())
    first = actions.publish(incident, body="At 13:00 UTC.", actor=ALICE).published_at
    revised = actions.publish(incident, body="At 14:00 UTC.", actor=BOB)
    assert (revised.published_at, revised.edited_at is not None) == (first, True)
    assert Revision.objects.get().change_html == "At <del>13:00</del><ins>14:00</ins> UTC."
    assert Event.objects.get(kind="postmortem.revised").notify is False


def test_retracting_takes_it_off_and_keeps_the_text() -> None:
    incident = make_resolved(make_page())
    postmortem = actions.publish(incident, body="Why.", actor=ALICE)
    actions.retract(postmortem, actor=ALICE)
    postmortem.refresh_from_db()
    assert (postmortem.is_published, postmortem.draft) == (False, "Why.")
    with pytest.raises(ValidationError, match="not published"):
        actions.retract(postmortem, actor=ALICE)


def test_text_changed_between_two_publications_is_still_a_revision() -> None:
    incident = make_resolved(make_page())
    postmortem = actions.publish(incident, body="Old claim.", actor=ALICE)
    actions.retract(postmortem, actor=ALICE)
    again = actions.publish(incident, body="New claim.", actor=ALICE)
    assert Revision.objects.get().body == "Old claim."
    assert again.edited_at is not None


def test_an_open_incident_has_no_postmortem_to_publish() -> None:
    with pytest.raises(ValidationError, match="Resolve the incident"):
        actions.publish(make_incident(make_page()), body="Why.", actor=ALICE)
    assert not Postmortem.objects.exists()


def test_it_cannot_be_published_before_the_incident_began() -> None:
    incident = make_resolved(make_page())
    with pytest.raises(ValidationError):
        actions.publish(incident, body="Why.", actor=ALICE, at=incident.started_at - timedelta(days=1))


def test_the_second_of_two_editors_gets_a_conflict() -> None:
    incident = make_resolved(make_page())
    draft = actions.save_draft(incident, body="One.", actor=ALICE, expected_version=0)
    actions.save_draft(incident, body="Two.", actor=ALICE, expected_version=draft.version)
    with pytest.raises(EditConflict) as caught:
        actions.save_draft(incident, body="Three.", actor=BOB, expected_version=draft.version)
    assert caught.value.current.draft == "Two."


def test_action_items_are_changed_in_place_and_dropped_when_left_out() -> None:
    incident = make_resolved(make_page())
    postmortem = actions.save_draft(incident, body="", actor=ALICE, action_items=ITEMS)
    item, _ = postmortem.action_items.all()
    actions.save_draft(incident, body="", actor=ALICE, action_items=[ActionItemDraft("Alarm", done=True, pk=item.pk)])
    assert [(item.pk, item.text) for item in postmortem.action_items.all()] == [(item.pk, "Alarm")]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (ActionItemDraft(""), "missing"),
        (ActionItemDraft("x" * 501), "501 characters"),
        (ActionItemDraft("x", url="javascript:alert(1)"), "is not a URL"),
    ],
)
def test_a_bad_action_item_is_named_and_nothing_is_saved(item: ActionItemDraft, message: str) -> None:
    incident = make_resolved(make_page())
    with pytest.raises(ValidationError) as caught:
        actions.publish(incident, body="Why.", actor=ALICE, action_items=[item])
    assert message in caught.value.message_dict["action_items"][0]
    assert not Postmortem.objects.exists()
