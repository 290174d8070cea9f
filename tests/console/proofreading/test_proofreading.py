"""The proofreader in the console: what it says of each form, when it says no, and what its owner can set."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models import AuditEntry, Event, IncidentUpdate, Page
from incidents.proofreading import ProofreadingOptions
from tests.console.staff import fill_in, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import make_component, make_incident, make_maintenance, make_page, make_resolved, make_user, post
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

BEGAN, ENDED = (datetime(2022, 9, 21, hour, minute, tzinfo=UTC) for hour, minute in ((14, 14), (15, 2)))
WRONG = "At 7:00 AM PT (13:00 UTC) it failed. Next update by 15:30 UTC."
NOW = "It failed. Next update by 15:30 UTC."


@pytest.fixture(autouse=True)
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor", name="Eve Editor")


def blocking(page: Page, *severities: str) -> None:
    page.proofreading = ProofreadingOptions.checked(blocks=severities).as_json()
    page.save(update_fields=["proofreading"])


def remarks(client: Client, about: str = "", **typed: str) -> list[Element]:
    answer = client.post(f"/console/p/acme/remarks{about}", typed, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return [item for item in parsed_page(answer).all("li") if "remark" in item.classes]


def remark_texts(items: list[Element]) -> list[str]:
    return [" ".join(item.all("p")[0].text.split()) for item in items]


def test_an_empty_text_has_no_remarks_and_takes_no_query(editor: Client) -> None:
    assert remarks(editor, body=" ") == []


def test_a_remark_quotes_the_text_explains_and_offers_a_fix(editor: Client, page: Page) -> None:
    incident = make_resolved(page, at=BEGAN, until=ENDED)
    update = incident.updates.newest_first()[0]
    (remark,) = remarks(editor, f"?update={update.public_id}", body="🔥 At 7:00 AM PT (13:00 UTC) it failed.")
    assert remark_texts([remark]) == ["Error 13:00 UTC 7:00 AM PT on Sep 21, 2022 was 14:00 UTC, not 13:00 UTC."]
    button = remark.one("button")
    assert button.text == "Use “14:00 UTC”"
    shown = {name: button.attributes[f"data-{name}"] for name in ("start", "end", "words", "suggestion")}
    # As browsers count: the first sign takes two.
    assert shown == {"start": "18", "end": "27", "words": "13:00 UTC", "suggestion": "14:00 UTC"}


def test_what_was_typed_is_shown_as_text(editor: Client) -> None:
    answer = editor.post(
        "/console/p/acme/remarks", {"body": "<script>alert(1)</script> {{<b>x}} TODO. Next update at 15:00 UTC."}
    )
    assert b"<script>alert" not in answer.content
    assert b"<b>" not in answer.content


def test_declaring_asks_for_the_next_update_and_knows_the_chosen_impact(editor: Client, page: Page) -> None:
    component = make_component(page)
    assert any(
        "time of the next update" in message
        for message in remark_texts(remarks(editor, body="We are looking.", status="investigating"))
    )
    vague = {"body": "Some users see errors. Next update by 15:30 UTC."}
    assert remark_texts(remarks(editor, **vague)) == []
    assert len(remarks(editor, **vague, impact="critical")) == 1
    assert len(remarks(editor, **vague, **{f"component_{component.public_id}": "major_outage"})) == 1


def test_a_follow_up_knows_when_the_incident_began(editor: Client, page: Page) -> None:
    incident = make_incident(page, at=BEGAN)
    about = f"?incident={incident.public_id}"
    typed = {"body": "Errors from 14:14 to 14:50 UTC. Next update by 15:30 UTC.", "status": "identified"}
    assert remarks(editor, about, **typed, at="2022-09-21 15:00") == []
    assert (
        len(remarks(editor, about, **typed | {"body": typed["body"].replace("14:14", "10:14")}, at="2022-09-21 15:00"))
        == 1
    )


def test_resolving_asks_for_no_next_update_and_counts_how_long_it_lasted(editor: Client, page: Page) -> None:
    incident = make_incident(page, at=BEGAN)
    about = f"?incident={incident.public_id}&prefix=resolve"
    typed = {"resolve-at": "2022-09-21 15:02"}
    assert remarks(editor, about, **typed, **{"resolve-body": "The outage lasted 48 minutes."}) == []
    assert len(remarks(editor, about, **typed, **{"resolve-body": "The outage lasted 4 hours."})) == 1


def test_an_old_update_is_not_asked_for_the_next_one(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    first = incident.updates.get()
    post(incident, body=NOW)
    newest = incident.updates.newest_first()[0]
    assert remarks(editor, f"?update={first.public_id}", body="We are looking.") == []
    assert len(remarks(editor, f"?update={newest.public_id}", body="We are looking.")) == 1


def test_a_maintenance_is_compared_with_its_window(editor: Client, page: Page) -> None:
    begins = datetime(2027, 1, 16, 14, tzinfo=UTC)
    maintenance = make_maintenance(page, begins=begins)
    about = f"?incident={maintenance.public_id}"
    assert remarks(editor, about, body="Checkout is unavailable from 14:00 to 16:00 UTC.") == []
    assert len(remarks(editor, about, body="Checkout is unavailable from 02:00 to 04:00 UTC.")) == 1
    typed = {"scheduled_for": "2027-01-16 14:00", "scheduled_until": "2027-01-16 16:00"}
    assert len(remarks(editor, body="Checkout is unavailable from 02:00 to 04:00 UTC.", **typed)) == 1


def test_a_postmortem_is_asked_for_sections_owners_and_dates(editor: Client, page: Page) -> None:
    incident = make_resolved(page, at=BEGAN, until=ENDED)
    about = f"?incident={incident.public_id}&postmortem=1"
    text = "## What happened\r\n\r\nIt failed.\r\n\r\n## Impact\r\n\r\nAll.\r\n\r\n## Why\r\n\r\nA cache."
    items = {"items-0-text": "Add an alarm", "items-0-owner": "", "items-0-due_on": "", "items-1-text": ""}
    lines = remark_texts(remarks(editor, about, body=text, **items))
    assert [line for line in lines if "Add an alarm" in line and "no owner" in line]
    assert [line for line in lines if "What we do now" in line]
    done = {"items-0-text": "Add an alarm", "items-0-owner": "Ana", "items-0-due_on": "2027-01-01"}
    assert remarks(editor, about, body=f"{text}\r\n\r\n## Next steps\r\n\r\nMore tests.", **done) == []


def test_the_addresses_and_names_of_staff_are_known(editor: Client) -> None:
    make_user("viewer", email="ivo@acme.example", name="Ivo Ivanov")
    text = "Ivo deleted the table. Write to ivo@acme.example. Next update by 15:30 UTC."
    assert len(remarks(editor, body=text)) == 2


def test_how_many_queries_it_takes_does_not_depend_on_the_page(editor: Client, page: Page) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            remarks(editor, f"?incident={incident.public_id}", body=WRONG)
        return len(queries)

    incident = make_incident(page)
    before = count()
    for number in range(5):
        make_component(page, f"Component {number}")
        make_user("viewer")
    assert count() == before <= 10


def test_somebody_elses_incident_is_not_found(editor: Client) -> None:
    other = make_incident(make_page(name="Other", domain="other.example"))
    assert editor.post(f"/console/p/acme/remarks?incident={other.public_id}", {"body": "x"}).status_code == 404


def test_the_preview_without_javascript_shows_the_remarks_beside_the_text(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    path = f"/console/p/acme/incidents/{incident.public_id}/update"
    answer = editor.post(path, {"body": WRONG, "status": "identified", "version": "1", "preview": "1"})
    document = parsed_page(answer)
    assert len([item for item in document.all("li") if "remark" in item.classes]) == 1
    assert all("hidden" in button.attributes for button in document.all("button") if "data-fix" in button.attributes)
    assert IncidentUpdate.objects.count() == 1


def test_every_form_with_a_message_has_its_remarks_below_it(editor: Client, page: Page) -> None:
    incident, resolved, planned = make_incident(page), make_resolved(page), make_maintenance(page)
    update = incident.updates.get()
    places = {
        "/console/p/acme/incidents/new": 1,
        f"/console/p/acme/incidents/{incident.public_id}": 2,
        f"/console/p/acme/incidents/{resolved.public_id}": 1,
        f"/console/p/acme/updates/{update.public_id}/edit": 1,
        f"/console/p/acme/incidents/{resolved.public_id}/postmortem": 1,
        "/console/p/acme/maintenances/new": 1,
    }
    for path, count in places.items():
        containers = [e for e in parsed_page(editor.get(path)).walk() if "data-remarks-of" in e.attributes]
        assert len(containers) == count, path
        areas = [e.attributes["id"] for e in parsed_page(editor.get(path)).all("textarea")]
        assert all(e.attributes["data-remarks-of"] in areas for e in containers), path
    planned_page = parsed_page(editor.get(f"/console/p/acme/incidents/{planned.public_id}"))
    addresses = {e.attributes["hx-post"] for e in planned_page.walk() if "data-remarks-of" in e.attributes}
    assert f"/console/p/acme/remarks?incident={planned.public_id}&prefix=cancel" in addresses


def test_by_default_remarks_never_block_publishing(editor: Client, page: Page) -> None:
    answer = editor.post(
        "/console/p/acme/incidents/new", {"title": "API outage", "status": "investigating", "body": WRONG}
    )
    assert answer.status_code == 302


def test_blocked_severities_are_shown_as_errors_and_prevent_publishing(editor: Client, page: Page) -> None:
    blocking(page, "error")
    typed = {"title": "API outage", "status": "investigating", "body": "It failed. TODO. Next update by 15:30 UTC."}
    answer = editor.post("/console/p/acme/incidents/new", typed)
    assert answer.status_code == 422
    (area,) = invalid_controls(parsed_page(answer))
    assert area.text.strip() == typed["body"]
    assert "“TODO”: Remove this note to yourself." in answer.content.decode()
    assert not Event.objects.filter(kind="incident.opened").exists()
    assert editor.post("/console/p/acme/incidents/new", typed | {"body": NOW}).status_code == 302


@pytest.mark.parametrize("step", ["update", "resolve"])
def test_what_is_blocked_is_blocked_for_every_form(editor: Client, page: Page, step: str) -> None:
    blocking(page, "error")
    incident = make_incident(page, at=BEGAN)
    lead = "resolve-" if step == "resolve" else ""
    typed = {f"{lead}body": f"{WRONG}", f"{lead}version": "1", "status": "identified", f"{lead}at": "2022-09-21 15:02"}
    path = f"/console/p/acme/incidents/{incident.public_id}/{step}"
    assert editor.post(path, typed).status_code == 422
    assert incident.updates.count() == 1
    right = typed[f"{lead}body"].replace("13:00", "14:00")
    assert editor.post(path, typed | {f"{lead}body": right}).status_code == 302


def test_an_edit_is_blocked_too_and_the_old_text_stays(editor: Client, page: Page) -> None:
    blocking(page, "error", "warning")
    update = make_incident(page, at=BEGAN, body=NOW).updates.get()
    path = f"/console/p/acme/updates/{update.public_id}/edit"
    answer = editor.post(path, fill_in(editor, path, body=WRONG))
    assert answer.status_code == 422
    update.refresh_from_db()
    assert update.body == NOW
    assert editor.post(path, fill_in(editor, path, body=f"{NOW} Really.")).status_code == 302


def test_a_postmortem_is_blocked_when_it_is_published_and_not_when_it_is_saved(editor: Client, page: Page) -> None:
    blocking(page, "error")
    incident = make_resolved(page, at=BEGAN, until=ENDED)
    path = f"/console/p/acme/incidents/{incident.public_id}/postmortem"
    typed = fill_in(editor, path, path, body="TODO")
    assert editor.post(path, typed | {"publish": ["1"]}).status_code == 422
    assert editor.post(path, typed | {"save": ["1"]}).status_code == 302
    typed = fill_in(editor, path, path, body="It failed.")
    assert editor.post(path, typed | {"publish": ["1"]}).status_code == 302


def test_only_what_is_blocked_blocks(editor: Client, page: Page) -> None:
    blocking(page, "warning")
    typed = {"title": "API outage", "status": "investigating", "body": "TODO. Next update by 15:30 UTC."}
    assert editor.post("/console/p/acme/incidents/new", typed).status_code == 302


def settings_form(client: Client, **typed: Any) -> Any:
    return client.post("/console/p/acme/proofreading", fill_in(client, "/console/p/acme/proofreading", **typed))


def test_an_owner_sets_what_is_looked_for_and_it_is_audited(page: Page) -> None:
    owner = signed_in("owner", name="Olga")
    hosts, customers = "*.prod.acme.example\r\n\r\ndb-*", "Globex\r\nNorthwind Traders"
    answer = settings_form(owner, hosts=hosts, customers=customers, max_words="90", blocks=["error", "warning"])
    assert (answer.status_code, answer["Location"]) == (302, "/console/p/acme/proofreading")
    page.refresh_from_db()
    assert page.proofreading == {
        "hosts": ["*.prod.acme.example", "db-*"],
        "customers": ["Globex", "Northwind Traders"],
        "max_words": 90,
        "blocks": ["error", "warning"],
    }
    entry = AuditEntry.objects.get(verb="page.changed")
    assert entry.actor_label == "Olga"
    assert entry.details["proofreading"]["max_words"] == {"old": 200, "new": 90}
    text = "db-7 of Globex failed. Next update by 15:30 UTC."
    blocked = owner.post("/console/p/acme/incidents/new", {"title": "Outage", "status": "investigating", "body": text})
    assert blocked.status_code == 422
    shown = form_to(parsed_page(owner.get("/console/p/acme/proofreading")))
    assert [box.attributes["value"] for box in shown.all("input") if "checked" in box.attributes] == [
        "error",
        "warning",
    ]


def test_saving_the_same_settings_again_records_nothing() -> None:
    assert settings_form(signed_in("owner")).status_code == 302
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    "typed",
    [
        {"hosts": "db 7"},
        {"hosts": "*"},
        {"customers": "!!"},
        {"max_words": "0"},
        {"max_words": "many"},
        {"max_words": ""},
    ],
)
def test_invalid_settings_are_rejected_next_to_their_field_and_kept(page: Page, typed: dict[str, str]) -> None:
    owner = signed_in("owner")
    answer = settings_form(owner, **typed, **({} if "customers" in typed else {"customers": "Globex"}))
    assert answer.status_code == 422
    (control,) = invalid_controls(parsed_page(answer))
    assert control.attributes["name"] in typed
    assert next(iter(typed.values())) in answer.content.decode()
    page.refresh_from_db()
    assert page.proofreading == {}


def test_names_of_customers_reach_no_public_page(page: Page, client: Client) -> None:
    page.proofreading = ProofreadingOptions.checked(customers=["Zanzibar Canary Ltd"], hosts=["canary-*"]).as_json()
    page.save(update_fields=["proofreading"])
    make_incident(page)
    for path in ("/", "/history", "/api/v2/summary.json", "/history.atom"):
        assert b"anary" not in client.get(path).content
