import csv
import io
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.incidents.attributes import edit_details
from incidents.actions.update_input import UpdateInput
from incidents.models import AuditEntry, Page
from tests.console.staff import signed_in
from tests.factories import ALICE, BOB, make_component, make_incident, make_page, make_user, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in()


def text(client: Client, **filters: str) -> str:
    return " ".join(client.get("/console/p/acme/audit", filters).content.decode().split())


def rows(client: Client, **filters: str) -> list[dict[str, str]]:
    answer: Any = client.get("/console/p/acme/audit.csv", filters)
    assert answer.streaming
    written = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(written)))


def test_it_says_in_sentences_who_did_what(editor: Client, page: Page) -> None:
    incident = make_incident(page, title="Connections refused")
    actions.resolve(incident, UpdateInput(body="Over."), restore=None, actor=BOB)
    sentences = [row["sentence"] for row in rows(editor)]
    assert sentences == ["Bob resolved “Connections refused”", "Alice declared “Connections refused”"]
    assert "<strong>Bob</strong> resolved" in text(editor)


def test_details_show_old_beside_new(editor: Client, page: Page) -> None:
    incident = make_incident(page, title="Slow")
    edit_details(incident, title="Very slow", actor=BOB)
    assert "<del>Slow</del> <ins>Very slow</ins>" in text(editor, verb="incident.changed")


def test_filters_narrow_and_the_file_says_the_same(editor: Client, page: Page) -> None:
    first, second = make_incident(page, title="First"), make_incident(page, title="Zweiter Größe", actor=BOB)
    post(first)
    assert [row["actor"] for row in rows(editor, actor="user:2")] == ["Bob"]
    assert {row["verb"] for row in rows(editor, verb="incident.updated")} == {"incident.updated"}
    assert {row["object"] for row in rows(editor, object=second.public_id)} == {second.public_id}
    assert len(rows(editor, object=first.public_id)) == 2
    assert [row["actor"] for row in rows(editor, q="größe")] in ([], ["Bob"])
    assert [row["actor"] for row in rows(editor, q="Größe")] == ["Bob"]
    assert rows(editor, until="2001-01-01") == []
    assert len(rows(editor, since="2001-01-01")) == 3
    assert "No entries match this filter" in text(editor, until="2001-01-01")


def test_a_filter_that_makes_no_sense_is_said(editor: Client) -> None:
    answer = editor.get("/console/p/acme/audit", {"since": "soon"})
    assert answer.status_code == 422
    assert "This filter is invalid" in answer.content.decode()


def test_the_queries_do_not_grow_with_the_log(editor: Client, page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert editor.get("/console/p/acme/audit").status_code == 200
        return len(caught)

    for _ in range(3):
        make_incident(page, components={make_component(page): "major_outage"})
    few = queries()
    for _ in range(20):
        post(make_incident(page, components={make_component(page): "major_outage"}))
    assert queries() == few <= 15


def test_pages_lead_on_and_keep_the_filter(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    for _ in range(55):
        post(incident)
    assert "?page=2&amp;verb=incident.updated" in text(editor, verb="incident.updated")


def test_a_formula_in_a_cell_is_only_text(editor: Client, page: Page) -> None:
    AuditEntry.objects.create(
        page=page, actor_kind="user", actor_ref="9", actor_label="=1+1", verb="mail.tested", object_type="x"
    )
    assert rows(editor)[0]["actor"] == "'=1+1"


def test_viewers_may_not_read_it(page: Page) -> None:
    viewer = signed_in("viewer")
    assert viewer.get("/console/p/acme/audit").status_code == 403
    assert viewer.get("/console/p/acme/audit.csv").status_code == 403


def test_another_page_is_not_told_of(editor: Client, page: Page) -> None:
    make_incident(make_page(name="Other", domain="other.example.com"), actor=ALICE)
    assert rows(editor) == []


def test_people_are_called_by_their_names(editor: Client, page: Page) -> None:
    user = make_user("viewer", name="Vera")
    AuditEntry.objects.create(
        page=page,
        actor_kind="user",
        actor_ref="1",
        actor_label="Alice",
        verb="person.role",
        object_type="user",
        object_ref=str(user.pk),
        details={"old": "viewer", "new": "editor"},
    )
    assert rows(editor)[0]["sentence"] == "Alice changed the role of “Vera”"
    assert "<del>viewer</del> <ins>editor</ins>" in text(editor)


def test_what_nobody_has_words_for_is_still_shown(editor: Client, page: Page) -> None:
    AuditEntry.objects.create(
        page=page,
        actor_kind="system",
        actor_label="Candor",
        verb="comet.seen_again",
        object_type="comet",
        object_ref="1p",
    )
    assert rows(editor)[0]["sentence"] == "Candor seen again (comet) comet 1p"


@pytest.mark.parametrize("query", ["until=9999-12-31", "since=0001-01-01"])
def test_a_day_at_the_edge_of_time_narrows_nothing(query: str) -> None:
    make_page(time_zone="Pacific/Auckland")
    editor = signed_in("editor")
    for path in ("/console/p/acme/audit", "/console/p/acme/audit.csv"):
        assert editor.get(f"{path}?{query}").status_code in (200, 422)
