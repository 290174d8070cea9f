from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Incident, Page
from statuspage.subscribers.models import Interest
from tests.console.staff import fill_in, invalid_controls, parsed_page, signed_in
from tests.factories import ALICE, make_component, make_incident, make_resolved, make_subscriber_with, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(page: Page) -> Component:
    return make_component(page)


@pytest.fixture
def incident(page: Page, api: Component) -> Incident:
    now = timezone.now()
    return make_resolved(
        page, at=now - timedelta(hours=3), until=now - timedelta(hours=2), components={api: "major_outage"}
    )


def send(client: Client, path: str, **typed: Any) -> Any:
    return client.post(path, fill_in(client, path, **typed))


def at(incident: Incident, verb: str = "correct") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}/{verb}"


def ago(hours: float) -> str:
    return f"{timezone.now() - timedelta(hours=hours):%Y-%m-%d %H:%M}"


def test_the_incident_links_to_all_its_corrections(editor: Client, incident: Incident) -> None:
    assert at(incident) in editor.get(f"/console/p/acme/incidents/{incident.public_id}").content.decode()
    text = editor.get(at(incident)).content.decode()
    update = incident.updates.newest_first()[0].public_id
    for address in (at(incident, "merge"), at(incident, "delete"), f"/console/p/acme/updates/{update}/components"):
        assert address in text
    assert f"/console/p/acme/updates/{update}/edit" in text


def test_a_corrected_title_is_shown_to_visitors_with_the_old_one(editor: Client, incident: Incident) -> None:
    old = incident.title
    assert send(editor, at(incident), title="Logins fail", impact="minor").status_code == 302
    incident.refresh_from_db()
    assert (incident.title, incident.impact) == ("Logins fail", "minor")
    public = Client().get(f"/incidents/{incident.public_id}").content.decode()
    assert f"Title corrected from <del>{old}</del> to <ins>Logins fail</ins>" in public


def test_an_empty_title_is_rejected_next_to_its_field(editor: Client, incident: Incident) -> None:
    answer = send(editor, at(incident), title=" ")
    assert answer.status_code == 422
    assert [control.attributes["name"] for control in invalid_controls(parsed_page(answer))] == ["title"]


def test_a_conflict_keeps_the_typed_text(editor: Client, incident: Incident) -> None:
    fields = fill_in(editor, at(incident), title="Mine")
    send(editor, at(incident), title="Theirs")
    answer = editor.post(at(incident), fields)
    assert answer.status_code == 422
    assert 'value="Mine"' in answer.content.decode()
    incident.refresh_from_db()
    assert incident.title == "Theirs"


def test_components_of_a_past_update_are_corrected(editor: Client, incident: Incident, api: Component) -> None:
    update = incident.updates.oldest_first()[0]
    path = f"/console/p/acme/updates/{update.public_id}/components"
    assert send(editor, path, reason="").status_code == 422
    named = {f"component_{api.public_id}": "partial_outage"}
    assert send(editor, path, reason="It half worked.", **named).status_code == 302
    assert update.affected.get().new_status == "partial_outage"


def test_merging_a_duplicate_moves_its_subscribers_and_redirects_its_address(
    editor: Client, page: Page, incident: Incident
) -> None:
    duplicate = make_incident(page, title="The same thing")
    reader = make_subscriber_with(page, incidents=(duplicate,))
    answer = send(editor, at(duplicate, "merge"), into=incident.public_id, reason="One failure.")
    assert answer.status_code == 302
    assert Interest.objects.filter(subscriber=reader, incident=incident).exists()
    joined = Client().get(f"/incidents/{duplicate.public_id}")
    assert joined.status_code == 200
    assert f'href="/incidents/{incident.public_id}"' in joined.content.decode()
    assert not joined.cookies


def test_merging_requires_a_target_that_can_be_searched_by_title(
    editor: Client, page: Page, incident: Incident
) -> None:
    duplicate = make_incident(page, title="The same thing")
    answer = send(editor, at(duplicate, "merge"), reason="One failure.")
    assert answer.status_code == 422
    assert "Select an incident." in answer.content.decode()
    assert incident.public_id not in editor.get(at(duplicate, "merge"), {"q": "nothing like it"}).content.decode()
    assert incident.public_id in editor.get(at(duplicate, "merge"), {"q": incident.title.upper()}).content.decode()


def test_a_deleted_incident_is_removed_from_the_page_and_can_be_restored(
    editor: Client, incident: Incident, api: Component
) -> None:
    public = f"/incidents/{incident.public_id}"
    assert send(editor, at(incident, "delete"), reason="").status_code == 422
    assert Client().get(public).status_code == 200
    answer = send(editor, at(incident, "delete"), reason="A drill.", correct_history="on")
    assert answer.status_code == 302
    assert Client().get(public).status_code == 404
    assert not api.intervals.as_corrected().impaired().exists()
    assert send(editor, at(incident, "restore"), reason="No drill.").status_code == 302
    assert Client().get(public).status_code == 200


def test_status_history_can_be_corrected_without_an_incident(editor: Client, api: Component) -> None:
    path = f"/console/p/acme/components/{api.public_id}/history"
    wrong = send(editor, path, status="major_outage", start="", end="yesterday", reason="")
    assert {control.attributes["name"] for control in invalid_controls(parsed_page(wrong))} >= {"start", "end"}
    typed = {"status": "major_outage", "start": ago(3), "end": ago(-1), "reason": "Forgotten."}
    assert "is in the future" in send(editor, path, **typed).content.decode()
    with_end = typed | {"start": f"{timezone.now() - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"}
    with_end |= {"end": f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}", "status": "partial_outage"}
    api.intervals.update(started_at=timezone.now() - timedelta(hours=1))
    assert send(editor, path, **with_end).status_code == 302
    assert api.intervals.as_corrected().filter(status="partial_outage").count() == 1


def test_a_past_incident_is_added_with_components_without_notifications(
    editor: Client, page: Page, api: Component
) -> None:
    make_subscriber_with(page)
    typed = {
        "title": "Slow API",
        "update1-at": ago(5),
        "update1-body": "It is slow.",
        f"update1-of-{api.public_id}": "degraded_performance",
        "update2-at": ago(4),
        "update2-body": "Over.",
    }
    assert send(editor, "/console/p/acme/incidents/past", **typed).status_code == 302
    incident = page.incidents.get()
    assert (incident.status, incident.impact, incident.updates.count()) == ("resolved", "minor", 2)
    assert not incident.events.notifying().exists()
    assert not mail.outbox


def test_an_added_row_is_inserted_before_the_last_one_and_keeps_the_typed_text(editor: Client, api: Component) -> None:
    typed = {"title": "Slow", "update1-body": "First.", "update2-body": "Last.", "more": "1"}
    answer = send(editor, "/console/p/acme/incidents/past", **typed)
    assert answer.status_code == 200
    texts = [area.text.strip() for area in parsed_page(answer).all("textarea")]
    assert texts == ["First.", "", "Last."]


def test_an_invalid_past_incident_shows_errors_and_is_not_saved(editor: Client, page: Page) -> None:
    answer = send(
        editor, "/console/p/acme/incidents/past", title="Slow", **{"update1-body": "First.", "update1-at": "soon"}
    )
    assert answer.status_code == 422
    assert "Enter a time in the page" in answer.content.decode()
    answer = send(
        editor, "/console/p/acme/incidents/past", title="Slow", **{"update1-body": "First.", "update1-at": ago(1)}
    )
    assert answer.status_code == 422
    assert "at least two updates" in answer.content.decode()
    assert not page.incidents.exists()


@pytest.mark.parametrize("verb", ["correct", "merge"])
def test_the_queries_do_not_grow_with_updates_and_incidents(
    editor: Client, page: Page, api: Component, incident: Incident, verb: str
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert editor.get(at(incident, verb)).status_code == 200
        return len(caught)

    few = queries()
    actions.reopen(incident, UpdateInput(body="Again."), actor=ALICE)
    for _ in range(5):
        post(incident, components={api: "partial_outage"})
        make_incident(page, components={make_component(page, f"Part {page.components.count()}"): "major_outage"})
    assert queries() == few <= 15


def test_viewers_cannot_submit_any_correction_form(page: Page, incident: Incident, api: Component) -> None:
    viewer = signed_in("viewer")
    update = incident.updates.newest_first()[0].public_id
    paths = [at(incident, verb) for verb in ("correct", "merge", "delete", "restore")]
    paths += [f"/console/p/acme/updates/{update}/components", f"/console/p/acme/components/{api.public_id}/history"]
    for path in (*paths, "/console/p/acme/incidents/past"):
        assert viewer.post(path, {}).status_code == 403, path
