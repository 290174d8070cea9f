from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.actions.drafts import draft_lifecycle
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.scheduled_steps import run_due
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM
from incidents.models import AuditEntry, Draft, DraftState, Incident, Page
from incidents.models.draft_content import UpdateContent
from statuspage.retention.pruning import prune
from tests.console.staff import fill_in, parsed_page, signed_in
from tests.factories import make_component, make_incident, make_page, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def other() -> Client:
    return signed_in("editor", name="Otto")


def url_of(incident: Incident, verb: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}{verb}"


def send(client: Client, incident: Incident, verb: str = "/update", **typed: Any) -> Any:
    sent = fill_in(client, url_of(incident), url_of(incident, verb), **{"body": "We know more."} | typed)
    return client.post(url_of(incident, verb), sent)


def act(client: Client, draft: Draft, verb: str, **more: str) -> Any:
    """By somebody who has just looked at it."""
    draft.refresh_from_db()
    sent = {"act": verb, "seen": draft.submission_key} | more
    return client.post(f"/console/p/acme/drafts/{draft.public_id}/act", sent, follow=True)


def rules(page: Page, **more: Any) -> None:
    Page.objects.filter(pk=page.pk).update(**more)


# While it is typed


def test_a_draft_is_saved_while_typing_and_restored_after_signing_in_again(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    typed = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="Half a sen", status="identified")
    answer = editor.post(url_of(incident, "/draft/update"), typed, headers={"HX-Request": "true"})
    assert "Draft saved" in answer.content.decode()
    editor.logout()
    again = signed_in("editor", name="Erin", email="erin2@example.com")
    assert "Half a sen" not in again.get(url_of(incident)).content.decode()  # somebody else's account, not hers
    Draft.objects.update(author_ref=Draft.objects.get().author_ref)
    assert Draft.objects.get().form_data["body"] == ["Half a sen"]


def test_a_form_opens_with_the_draft_of_its_author(editor: Client, page: Page) -> None:
    component = make_component(page, "API")
    incident = make_incident(page)
    typed = {"body": "Half a sen", "status": "monitoring", f"component_{component.public_id}": "major_outage"}
    editor.post(url_of(incident, "/draft/update"), typed)
    shown = fill_in(editor, url_of(incident), url_of(incident, "/update"))
    names = ("body", "status", f"component_{component.public_id}")
    assert [shown[name] for name in names] == [["Half a sen"], ["monitoring"], ["major_outage"]]
    assert "notify" not in shown
    assert "Draft saved" in editor.get(url_of(incident)).content.decode()


def test_a_declaration_has_a_draft_that_publishing_deletes(editor: Client, page: Page) -> None:
    editor.post("/console/p/acme/drafts/save/declare", {"title": "API down", "body": "We look."})
    shown = fill_in(editor, "/console/p/acme/incidents/new", "")
    assert (shown["title"], shown["body"]) == (["API down"], ["We look."])
    editor.post("/console/p/acme/incidents/new", shown)
    assert page.incidents.get().title == "API down"
    assert not Draft.objects.exists()


def test_a_draft_can_be_discarded_by_its_author_alone(editor: Client, other: Client, page: Page) -> None:
    incident = make_incident(page)
    editor.post(url_of(incident, "/draft/update"), {"body": "Mine"})
    assert act(other, Draft.objects.get(), "discard").status_code == 400
    act(editor, Draft.objects.get(), "discard")
    assert not Draft.objects.exists()


@pytest.mark.parametrize("verb", ["/draft/nonsense", "/draft/declare"])
def test_a_draft_requires_an_existing_form(editor: Client, page: Page, verb: str) -> None:
    assert editor.post(url_of(make_incident(page), verb), {"body": "x"}).status_code == 404


def test_who_is_writing_is_shown_to_others(editor: Client, other: Client, page: Page) -> None:
    incident = make_incident(page)
    editor.post(url_of(incident, "/draft/update"), {"body": "Half"})
    assert "Erin is writing an update" in parsed_page(other.get(url_of(incident))).text
    assert "is writing" not in parsed_page(editor.get(url_of(incident))).text
    Draft.objects.update(saved_at=timezone.now() - timedelta(minutes=5))
    assert "is writing" not in other.get(url_of(incident, "/presence")).content.decode()


def test_abandoned_drafts_are_deleted_after_90_days(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    for key, days in (("old", 91), ("new", 89)):
        editor.post(url_of(incident, "/draft/update"), {"body": key, "submission_key": key})
        Draft.objects.filter(submission_key=key).update(saved_at=timezone.now() - timedelta(days=days))
    prune()
    assert [draft.body for draft in Draft.objects.all()] == ["new"]


# Undo, and later


def test_a_submitted_update_can_be_withdrawn_until_it_is_published(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    incident = make_incident(page)
    send(editor, incident)
    draft = Draft.objects.get()
    assert draft.state == DraftState.WAITING
    assert incident.updates.count() == 1
    act(editor, draft, "take_back")
    run_due(timezone.now() + timedelta(minutes=1))
    assert incident.updates.count() == 1
    assert fill_in(editor, url_of(incident), url_of(incident, "/update"))["body"] == ["We know more."]


def test_a_submitted_update_is_published_once_under_the_name_of_its_author(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    component = make_component(page, "API")
    incident = make_incident(page)
    send(editor, incident, status="identified", **{f"component_{component.public_id}": "partial_outage"})
    assert run_due(timezone.now()) == 0
    assert run_due(timezone.now() + timedelta(seconds=31)) == 1
    assert run_due(timezone.now() + timedelta(seconds=31)) == 0
    update = incident.updates.newest_first()[0]
    component.refresh_from_db()
    assert (update.status, update.body, component.status) == ("identified", "We know more.", "partial_outage")
    assert AuditEntry.objects.get(verb="incident.updated").actor_label == "Erin"
    assert not Draft.objects.exists()


def test_a_double_click_is_sent_once(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    incident = make_incident(page)
    sent = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="Once.")
    for _ in range(2):
        editor.post(url_of(incident, "/update"), sent)
    assert Draft.objects.count() == 1
    run_due(timezone.now() + timedelta(minutes=1))
    assert incident.updates.count() == 2


def test_a_deferred_resolution_restores_the_selected_components(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=5)
    component = make_component(page, "API")
    incident = make_incident(page, components={component: "major_outage"})
    sent = fill_in(editor, url_of(incident), url_of(incident, "/resolve"))
    editor.post(url_of(incident, "/resolve"), sent)
    run_due(timezone.now() + timedelta(seconds=6))
    incident.refresh_from_db()
    component.refresh_from_db()
    assert (incident.status, component.status) == ("resolved", "operational")


def test_an_incident_is_declared_at_a_time(editor: Client, page: Page) -> None:
    at = (timezone.now() + timedelta(hours=2)).astimezone(page.zone)
    sent = fill_in(
        editor, "/console/p/acme/incidents/new", "", title="Later", body="Soon.", publish_at=f"{at:%Y-%m-%d %H:%M}"
    )
    editor.post("/console/p/acme/incidents/new", sent)
    assert not page.incidents.exists()
    assert "Later" in parsed_page(editor.get("/console/p/acme/")).text
    run_due(at + timedelta(minutes=1))
    assert page.incidents.get().title == "Later"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"publish_at": "2020-01-01 10:00"}, "Enter a time in the future"),
        ({"publish_at": "2090-01-01 10:00", "at": "2020-01-01 10:00"}, "A scheduled update cannot be backdated"),
    ],
)
def test_an_invalid_publication_time_is_rejected_and_the_text_is_kept(
    editor: Client, page: Page, typed: dict[str, str], expected: str
) -> None:
    incident = make_incident(page)
    answer = send(editor, incident, **typed)
    assert answer.status_code == 422
    assert expected in answer.content.decode()
    assert "We know more." in answer.content.decode()
    assert not Draft.objects.submitted().exists()


def test_an_outdated_draft_is_returned_to_its_author_with_the_reason(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    incident = make_incident(page)
    send(editor, incident)
    incident.refresh_from_db()
    post(incident, body="Quicker.")
    assert run_due(timezone.now() + timedelta(minutes=1)) == 1
    assert incident.updates.newest_first()[0].body == "Quicker."
    shown = parsed_page(editor.get("/console/p/acme/")).text
    assert "Not published: Someone else changed the incident" in shown
    assert fill_in(editor, url_of(incident), url_of(incident, "/update"))["body"] == ["We know more."]


def test_a_text_that_cannot_be_published_is_rejected_on_submission(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    incident = make_incident(page)
    sent = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="Too late.")
    post(incident, body="Quicker.")
    answer = editor.post(url_of(incident, "/update"), sent)
    assert answer.status_code == 422
    assert "Changes in your version" in answer.content.decode()
    assert not Draft.objects.submitted().exists()


# Two tabs, late savings, other texts of the same author


def test_a_late_autosave_does_not_restore_a_published_draft(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    typed = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="Said.")
    editor.post(url_of(incident, "/draft/update"), typed)
    editor.post(url_of(incident, "/update"), typed)
    assert not Draft.objects.exists()
    late = editor.post(url_of(incident, "/draft/update"), typed, headers={"HX-Request": "true"})
    assert late.status_code == 204
    assert not Draft.objects.exists()


def test_a_late_autosave_does_not_stop_a_submitted_draft(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    incident = make_incident(page)
    typed = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="Said.")
    editor.post(url_of(incident, "/draft/update"), typed)
    editor.post(url_of(incident, "/update"), typed)
    editor.post(url_of(incident, "/draft/update"), typed)
    assert Draft.objects.get().state == DraftState.WAITING


def test_a_quick_follow_up_leaves_a_longer_text_alone(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    long = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="A long text, half done")
    editor.post(url_of(incident, "/draft/update"), long)
    quick = fill_in(editor, "/console/p/acme/", url_of(incident, "/update"), body="Still looking.")
    editor.post(url_of(incident, "/update"), quick)
    assert incident.updates.count() == 2
    assert fill_in(editor, url_of(incident), url_of(incident, "/update"))["body"] == ["A long text, half done"]


def test_nobody_approves_what_they_have_not_seen(editor: Client, other: Client, page: Page) -> None:
    rules(page, requires_approval=True)
    incident = make_incident(page)
    send(editor, incident, body="Harmless.")
    draft = Draft.objects.get()
    seen = draft.submission_key
    act(editor, draft, "take_back")
    send(editor, incident, body="Something else.")
    answer = act(other, Draft.objects.get(), "approve", seen=seen)
    assert "no longer exists" in answer.content.decode()
    assert incident.updates.count() == 1


def test_waiting_drafts_need_approval_after_approval_is_turned_on(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=600)
    incident = make_incident(page)
    send(editor, incident)
    signed_in("owner", name="O").post("/console/p/acme/rules", {"undo_seconds": "600", "requires_approval": "on"})
    assert Draft.objects.get().state == DraftState.REVIEW


def test_viewers_cannot_read_drafts(editor: Client, page: Page) -> None:
    rules(page, undo_seconds=30)
    incident = make_incident(page)
    send(editor, incident, body="A secret plan.")
    viewer = signed_in("viewer")
    for path in ("/console/p/acme/", url_of(incident)):
        assert "A secret plan." not in viewer.get(path).content.decode()


def test_nul_characters_are_removed(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    editor.post(url_of(incident, "/draft/update"), {"body": "a\0b"})
    assert Draft.objects.get().form_data["body"] == ["ab"]
    assert editor.get("/console/p/acme/commands", {"q": "\0"}).status_code == 200
    assert (
        editor.post(
            "/console/p/acme/preview", {"body": "x", "tab": "mail", "step": "update", "incident": "\0"}
        ).status_code
        == 200
    )


# Approval


def test_with_approval_required_a_second_person_must_approve_an_update(
    editor: Client, other: Client, page: Page
) -> None:
    rules(page, requires_approval=True)
    incident = make_incident(page)
    send(editor, incident)
    draft = Draft.objects.get()
    assert draft.state == DraftState.REVIEW
    for verb in ("approve", "publish"):
        act(editor, draft, verb)
    assert incident.updates.count() == 1
    assert "We know more." in parsed_page(other.get(f"/console/p/acme/drafts/{draft.public_id}")).text
    act(other, draft, "approve")
    assert incident.updates.newest_first()[0].body == "We know more."
    assert AuditEntry.objects.get(verb="draft.approved").actor_label == "Otto"
    assert AuditEntry.objects.get(verb="incident.updated").actor_label == "Erin"


def test_a_returned_draft_belongs_to_its_author_again_with_the_note(editor: Client, other: Client, page: Page) -> None:
    rules(page, requires_approval=True)
    incident = make_incident(page)
    send(editor, incident)
    act(other, Draft.objects.get(), "return", note="Name the region.")
    assert "Name the region." in parsed_page(editor.get(url_of(incident))).text
    assert fill_in(editor, url_of(incident), url_of(incident, "/update"))["body"] == ["We know more."]


def test_every_text_of_an_incident_waits_for_approval(editor: Client, page: Page) -> None:
    rules(page, requires_approval=True)
    over = make_incident(page, title="Over")
    actions.resolve(over, UpdateInput(body="Over."), restore=None, actor=SYSTEM)
    going_on = make_incident(page, title="Going on")
    editor.post(
        "/console/p/acme/incidents/new", fill_in(editor, "/console/p/acme/incidents/new", "", title="New", body="News.")
    )
    send(editor, going_on)
    send(editor, going_on, "/resolve", **{"resolve-body": "Done."})
    send(editor, over, "/reopen")
    assert sorted(Draft.objects.filter(state=DraftState.REVIEW).values_list("step", flat=True)) == [
        "declare",
        "reopen",
        "resolve",
        "update",
    ]
    assert page.incidents.count() == 2
    assert going_on.updates.count() == 1


def test_an_approved_text_with_a_time_waits_for_it(editor: Client, other: Client, page: Page) -> None:
    rules(page, requires_approval=True)
    incident = make_incident(page)
    at = (timezone.now() + timedelta(hours=1)).astimezone(page.zone)
    send(editor, incident, publish_at=f"{at:%Y-%m-%d %H:%M}")
    act(other, Draft.objects.get(), "approve")
    assert incident.updates.count() == 1
    run_due(at + timedelta(minutes=1))
    assert incident.updates.count() == 2


def test_an_owner_sets_the_rules(page: Page) -> None:
    owner = signed_in("owner")
    owner.post("/console/p/acme/rules", {"undo_seconds": "30", "requires_approval": "on"})
    page.refresh_from_db()
    assert (page.undo_seconds, page.requires_approval) == (30, True)
    answer = owner.post("/console/p/acme/rules", {"undo_seconds": "6000"})
    assert answer.status_code == 422
    assert signed_in("editor", name="E").get("/console/p/acme/rules").status_code == 403


def test_a_dry_run_leaves_no_data(page: Page) -> None:
    incident = make_incident(page)
    draft = Draft(page=page, incident=incident, step="update", author_ref="1", author_label="Erin", version=1)
    content = UpdateContent(body="x", notify=True, status="identified")
    draft_lifecycle.dry_run(draft, content)
    assert incident.updates.count() == 1
    incident.refresh_from_db()
    assert (incident.version, incident.status) == (1, "investigating")
