"""On a page that requires approval, nobody changes alone what visitors read: every form of the console is tried."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from incidents.models import AuditEntry, Draft, DraftState, Event, Proposal
from statuspage.accounts.models import Role, User
from statuspage.notifications.models import Delivery
from tests.console.pages import entries
from tests.console.proposals.submissions import CONSOLE, SUBMISSIONS, Submission
from tests.console.proposals.world import World, make_world, what_visitors_read
from tests.console.staff import parsed_page, signed_in

pytestmark = pytest.mark.django_db

# URLs of editors that receive forms and change nothing that visitors read, or only what needs no approval.
EXEMPT = {
    "component_status": "the status of a component, by hand",
    "set_statuses": "the status of components, by hand",
    "components": "the order of components",
    "move_component": "the order of components",
    "place_component": "the order of components",
    "targets": "a figure of the reports",
    "impact_start": "a figure for analytics",
    "postmortem": "saves a draft; publishing needs a review (test_postmortems_are_reviewed)",
    "review_postmortem": "the review of a postmortem",
    "preview": "shows a preview",
    "save_declaration": "saves a draft",
    "save_draft": "saves a draft",
    "act_on_draft": "tried in test_the_author_approves_nothing_of_their_own",
    "act_on_proposal": "tried in test_the_author_approves_nothing_of_their_own",
}
# Subjects that are not the record: who receives notifications, how, and the tools of staff.
OTHER_SUBJECTS = (
    *("subscriber", "endpoint", "channel", "template", "mail", "deliver", "unsubscribe", "confirmation", "secret"),
    *("proofread", "account", "password", "session"),
)
READING = {"proposal", "draft", "draft_mail", "presence", "audience", "schedule_dates", "export_postmortem"}
READING |= {"audit", "audit_csv", "remarks"}


@pytest.fixture
def world(db: None) -> World:
    return make_world()


def test_every_form_of_editors_is_tried_or_exempt() -> None:
    """A new view of an editor has to be added to `SUBMISSIONS`, or to `EXEMPT` with the reason."""
    editing = {str(entry.name) for entry in entries() if getattr(entry.callback, "access", None) == Role.EDITOR}
    reading = {
        "proposal",
        "draft",
        "draft_mail",
        "presence",
        "audience",
        "schedule_dates",
        "export_postmortem",
        "audit",
        "audit_csv",
        "remarks",
    }
    unknown = editing - set(SUBMISSIONS) - set(EXEMPT) - reading
    assert {name for name in unknown if not any(subject in name for subject in OTHER_SUBJECTS)} == set()


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_one_editor_alone_changes_nothing_and_a_second_person_makes_it_happen(world: World, name: str) -> None:
    editor, second = signed_in(name="Eve"), signed_in(name="Sue")
    before, events = what_visitors_read(), Event.objects.count()
    answer = SUBMISSIONS[name].post(editor, world)
    assert (answer.status_code, what_visitors_read()) == (302, before), answer.content.decode()
    assert (Event.objects.count(), Delivery.objects.count()) == (events, 0)
    approve(second)
    assert what_visitors_read() != before
    entry = AuditEntry.objects.exclude(details__approved_by=None).first()
    assert entry
    assert (entry.actor_label, entry.details["approved_by"]) == ("Eve", "Sue")


def approve(second: Client) -> None:
    """Approve what waits, whichever way it waits."""
    if proposal := Proposal.objects.waiting().first():
        shown = second.get(f"{CONSOLE}/proposals/{proposal.public_id}")
        assert "Approve and publish" in shown.content.decode()
        answer = second.post(f"{CONSOLE}/proposals/{proposal.public_id}/act", {"act": "approve"}, follow=True)
        assert "Change approved and published." in parsed_page(answer).text
        return
    draft = Draft.objects.get()
    assert draft.state == DraftState.REVIEW
    second.post(f"{CONSOLE}/drafts/{draft.public_id}/act", {"act": "approve", "seen": draft.submission_key})


@pytest.mark.parametrize("name", ["edit_update", "schedule", "declare"])
@pytest.mark.parametrize("role", [Role.EDITOR, Role.OWNER])
def test_the_author_approves_nothing_of_their_own(world: World, name: str, role: str) -> None:
    author = signed_in(role)
    before = what_visitors_read()
    SUBMISSIONS[name].post(author, world)
    for proposal in Proposal.objects.all():
        shown = author.get(f"{CONSOLE}/proposals/{proposal.public_id}").content.decode()
        assert ("Withdraw" in shown, "Approve" in shown) == (True, False)
        author.post(f"{CONSOLE}/proposals/{proposal.public_id}/act", {"act": "approve"})
    for draft in Draft.objects.all():
        for act in ("approve", "publish"):
            author.post(f"{CONSOLE}/drafts/{draft.public_id}/act", {"act": act, "seen": draft.submission_key})
    assert what_visitors_read() == before


@pytest.mark.parametrize(("ticked", "shown"), [("on", "yes"), (None, "no")])
def test_the_reviewer_sees_who_is_notified_and_what_happens_automatically(
    world: World, ticked: str | None, shown: str
) -> None:
    schedule = SUBMISSIONS["schedule"]
    typed = {**schedule.typed, "notify": ticked, "auto_start": ticked}
    replace(schedule, typed=typed).post(signed_in(), world)
    proposal = Proposal.objects.get()
    text = parsed_page(signed_in(name="Sue").get(f"{CONSOLE}/proposals/{proposal.public_id}")).text
    assert f"Notifies subscribers {shown}" in text
    assert f"Auto start {shown}" in text
    assert "Reminders 60 min before" in text


def test_postmortems_are_reviewed(world: World) -> None:
    editor, path = signed_in(), f"{CONSOLE}/incidents/{world.resolved.public_id}/postmortem"
    submission = Submission(
        lambda w: f"/incidents/{w.resolved.public_id}/postmortem",
        {"body": "Another story."},
        lambda w: f"/incidents/{w.resolved.public_id}/postmortem",
    )
    before = what_visitors_read()
    where, fields = submission.filled(editor, world)
    for button in ({"publish": "1"}, {"save": "1"}, {}):
        editor.post(where, fields | button)
        assert what_visitors_read() == before, button
    assert "Another story." in editor.get(path).content.decode()
    assert not Proposal.objects.exists()


def test_without_the_rule_every_form_works_at_once(world: World) -> None:
    world.page.requires_approval = False
    world.page.save()
    editor, before = signed_in(), what_visitors_read()
    SUBMISSIONS["edit_update"].post(editor, world)
    assert what_visitors_read() != before
    assert not Proposal.objects.exists()


def test_a_form_with_mistakes_is_shown_again_and_proposes_nothing(world: World) -> None:
    editor = signed_in()
    submission = SUBMISSIONS["schedule"]
    path, fields = submission.filled(editor, world)
    answer = editor.post(path, fields | {"title": "", "body": "Keep this."})
    assert answer.status_code == 422
    assert "Keep this." in answer.content.decode()
    late = editor.post(path, fields | {"scheduled_until": "2020-01-01 00:00"})
    assert late.status_code == 422
    assert not Proposal.objects.exists()


def test_a_double_click_makes_one_proposal(world: World) -> None:
    editor = signed_in()
    path, fields = SUBMISSIONS["edit_update"].filled(editor, world)
    first, second = editor.post(path, fields), editor.post(path, fields)
    assert first["Location"] == second["Location"]
    assert Proposal.objects.count() == 1


def test_what_changed_since_is_shown_before_it_can_be_approved(world: World) -> None:
    editor, second = signed_in(), signed_in()
    SUBMISSIONS["edit_component"].post(editor, world)
    proposal = Proposal.objects.get()
    type(world.api).objects.update(description="Something else meanwhile.")
    path = f"{CONSOLE}/proposals/{proposal.public_id}"
    answer = second.post(f"{path}/act", {"act": "approve"}, follow=True)
    assert "Review the change again." in parsed_page(answer).text
    world.api.refresh_from_db()
    assert world.api.description == "Something else meanwhile."
    assert "Something else meanwhile." in second.get(path).content.decode()
    second.post(f"{path}/act", {"act": "approve"})
    world.api.refresh_from_db()
    assert world.api.description == "New description."


def test_a_change_that_no_longer_fits_stays_and_says_so(world: World) -> None:
    editor, second = signed_in(), signed_in()
    SUBMISSIONS["edit_update"].post(editor, world)
    proposal = Proposal.objects.get()
    update = world.resolved.updates.newest_first()[0]
    type(update).objects.filter(pk=update.pk).update(version=9)
    answer = second.post(f"{CONSOLE}/proposals/{proposal.public_id}/act", {"act": "approve"}, follow=True)
    assert "can no longer be made" in parsed_page(answer).text
    proposal.refresh_from_db()
    assert proposal.is_waiting


def test_rejecting_and_withdrawing_change_nothing_and_are_final(world: World) -> None:
    editor, second = signed_in(name="Eve"), signed_in(name="Sue")
    before = what_visitors_read()
    for who, act, state in ((second, "reject", "rejected"), (editor, "withdraw", "withdrawn")):
        SUBMISSIONS["edit_update"].post(editor, world)
        proposal = Proposal.objects.waiting().get()
        path = f"{CONSOLE}/proposals/{proposal.public_id}"
        who.post(f"{path}/act", {"act": act, "note": "Not clear enough."})
        proposal.refresh_from_db()
        assert proposal.state == state
        second.post(f"{path}/act", {"act": "approve"})
        assert what_visitors_read() == before
    rejected = Proposal.objects.get(state="rejected")
    assert "Not clear enough." in editor.get(f"{CONSOLE}/proposals/{rejected.public_id}").content.decode()


def test_somebody_else_cannot_withdraw_and_viewers_cannot_look(world: World) -> None:
    SUBMISSIONS["edit_update"].post(signed_in(), world)
    path = f"{CONSOLE}/proposals/{Proposal.objects.get().public_id}"
    signed_in().post(f"{path}/act", {"act": "withdraw"})
    assert Proposal.objects.get().is_waiting
    viewer = signed_in(Role.VIEWER)
    assert viewer.get(path).status_code == 403
    assert viewer.post(f"{path}/act", {"act": "approve"}).status_code == 403


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.VIEWER}])
def test_who_may_no_longer_write_changes_nothing_by_an_approval(world: World, change: dict[str, Any]) -> None:
    editor, before = signed_in(name="Eve"), what_visitors_read()
    SUBMISSIONS["edit_update"].post(editor, world)
    User.objects.filter(name="Eve").update(**change)
    signed_in().post(f"{CONSOLE}/proposals/{Proposal.objects.get().public_id}/act", {"act": "approve"})
    assert what_visitors_read() == before


def test_proposals_are_on_the_dashboard_and_the_page_of_the_incident(world: World) -> None:
    editor = signed_in(name="Eve")
    SUBMISSIONS["edit_update"].post(editor, world)
    link = f"{CONSOLE}/proposals/{Proposal.objects.get().public_id}"
    for path in (f"{CONSOLE}/", f"{CONSOLE}/incidents/{world.resolved.public_id}"):
        html = signed_in().get(path).content.decode()
        assert link in html
        assert "change by Eve" in html
