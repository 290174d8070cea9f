"""Two people at once: the second is told what the first one did, and loses not a word."""

from typing import Any

import pytest
from django.test import Client

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.models import Event, Incident, Page
from tests.console.staff import fields_of, fill_in, form_to, parsed_page
from tests.factories import BOB, make_component, make_incident, make_resolved, post
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

MINE = "My ten minutes of <careful> words."
THEIRS = "Bob was **faster**."


@pytest.fixture
def incident(page: Page) -> Incident:
    return make_incident(page)


def url_of(incident: Incident, verb: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}{verb}"


def open_form(client: Client, incident: Incident, verb: str, **typed: Any) -> Any:
    """The form as it was opened and filled in, before anybody else does anything."""
    prefix = "resolve-" if verb == "/resolve" else ""
    return fill_in(client, url_of(incident), url_of(incident, verb), **{f"{prefix}body": MINE}, **typed)


def held(answer: Any, incident: Incident, verb: str) -> Any:
    return fields_of(form_to(parsed_page(answer), url_of(incident, verb)))


def conflict_of(answer: Any) -> Element:
    assert answer.status_code == 422
    return parsed_page(answer).one("section", class_="conflict")


def test_a_conflict_shows_both_texts_and_the_author_of_the_newer_one(editor: Client, incident: Incident) -> None:
    sent = open_form(editor, incident, "/update", status="monitoring")
    post(incident, body=THEIRS, actor=BOB)
    answer = editor.post(url_of(incident, "/update"), sent)
    conflict = conflict_of(answer)
    assert "Bob was faster." in conflict.text
    assert "by Bob" in conflict.text
    assert "Someone else changed this incident while you were writing." in parsed_page(answer).text
    assert held(answer, incident, "/update")["body"] == [MINE]
    assert held(answer, incident, "/update")["status"] == ["monitoring"]
    assert [update.body for update in incident.updates.all()].count(MINE) == 0


def test_submitting_again_after_a_conflict_publishes(editor: Client, incident: Incident) -> None:
    sent = open_form(editor, incident, "/update")
    post(incident, body=THEIRS, actor=BOB)
    again = held(editor.post(url_of(incident, "/update"), sent), incident, "/update")
    answers = [editor.post(url_of(incident, "/update"), again) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert [update.body for update in incident.updates.newest_first()] == [MINE, THEIRS, "We are looking."]


def test_opening_the_page_after_a_change_causes_no_conflict(editor: Client, incident: Incident) -> None:
    post(incident, body=THEIRS, actor=BOB)
    sent = open_form(editor, incident, "/update")
    assert editor.post(url_of(incident, "/update"), sent).status_code == 302


def test_the_update_form_of_the_dashboard_detects_conflicts(editor: Client, incident: Incident) -> None:
    sent = fill_in(editor, "/console/p/acme/", url_of(incident, "/update"), body=MINE)
    post(incident, body=THEIRS, actor=BOB)
    answer = editor.post(url_of(incident, "/update"), sent)
    assert "Bob was faster." in conflict_of(answer).text
    assert held(answer, incident, "/update")["body"] == [MINE]


def test_an_update_to_an_incident_resolved_in_the_meantime_becomes_the_reopen_form(
    editor: Client, incident: Incident
) -> None:
    sent = open_form(editor, incident, "/update", status="identified")
    actions.resolve(incident, UpdateInput(body=THEIRS), restore=None, actor=BOB)
    answer = editor.post(url_of(incident, "/update"), sent)
    conflict = conflict_of(answer)
    assert "Resolved" in conflict.text
    assert "by Bob" in conflict.text
    assert "Submitting it reopens the incident" in conflict.text
    again = held(answer, incident, "/reopen")
    assert (again["body"], again["status"]) == ([MINE], ["identified"])
    assert editor.post(url_of(incident, "/reopen"), again).status_code == 302
    assert Incident.objects.get().status == "identified"
    assert incident.updates.newest_first()[0].body == MINE


def test_the_second_of_two_resolutions_is_a_conflict(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    sent = open_form(editor, incident, "/resolve")
    actions.resolve(incident, UpdateInput(body=THEIRS), restore=None, actor=BOB)
    answer = editor.post(url_of(incident, "/resolve"), sent)
    assert "Bob was faster." in conflict_of(answer).text
    assert held(answer, incident, "/resolve")["resolve-body"] == [MINE]
    second = editor.post(url_of(incident, "/resolve"), held(answer, incident, "/resolve"))
    assert second.status_code == 422
    assert held(second, incident, "/resolve")["resolve-body"] == [MINE]
    assert Event.objects.filter(kind="incident.resolved").count() == 1


def test_resolving_an_incident_with_a_newer_update_is_a_conflict(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    sent = open_form(editor, incident, "/resolve")
    post(incident, body=THEIRS, actor=BOB)
    answer = editor.post(url_of(incident, "/resolve"), sent)
    assert "Bob was faster." in conflict_of(answer).text
    again = held(answer, incident, "/resolve")
    assert (again["resolve-body"], again["resolve-restore"]) == ([MINE], [rest.public_id])
    assert editor.post(url_of(incident, "/resolve"), again).status_code == 302
    assert Incident.objects.get().status == "resolved"


def test_reopening_an_incident_that_is_already_open_keeps_the_text(editor: Client, page: Page) -> None:
    incident = make_resolved(page)
    sent = open_form(editor, incident, "/reopen")
    actions.reopen(incident, UpdateInput(body=THEIRS), actor=BOB)
    answer = editor.post(url_of(incident, "/reopen"), sent)
    assert "Bob was faster." in conflict_of(answer).text
    again = held(answer, incident, "/update")
    assert again["body"] == [MINE]
    assert editor.post(url_of(incident, "/update"), again).status_code == 302


def edit_place(incident: Incident) -> str:
    return f"/console/p/acme/updates/{incident.updates.newest_first()[0].public_id}/edit"


def test_two_editors_of_one_update_see_both_texts(editor: Client, incident: Incident) -> None:
    sent = fill_in(editor, edit_place(incident), body=MINE)
    actions.edit_update(incident.updates.get(), body=THEIRS, actor=BOB)
    answer = editor.post(edit_place(incident), sent)
    conflict = conflict_of(answer)
    assert "Bob was faster." in conflict.text
    assert "by Bob" in conflict.text
    assert fields_of(form_to(parsed_page(answer)))["body"] == [MINE]
    assert incident.updates.get().body == THEIRS
    assert editor.post(edit_place(incident), fields_of(form_to(parsed_page(answer)))).status_code == 302
    assert incident.updates.get().body == MINE
    assert [revision.body for revision in incident.updates.get().revisions.order_by("pk")] == [
        "We are looking.",
        THEIRS,
    ]
