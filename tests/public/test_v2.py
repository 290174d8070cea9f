"""The public API v2 by its rules: what is listed, in which order, how it travels, what it costs (contract, 1)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.components import component_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.models import Incident, Page
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
    make_resolved,
    post,
)
from tests.public.parsed_page import get

pytestmark = pytest.mark.django_db

LISTS = {
    "summary": ["page", "components", "incidents", "scheduled_maintenances", "status"],
    "status": ["page", "status"],
    "components": ["page", "components"],
    "incidents": ["page", "incidents"],
    "incidents/unresolved": ["page", "incidents"],
    "incidents/resolved": ["page", "incidents"],
    "scheduled-maintenances": ["page", "scheduled_maintenances"],
    "scheduled-maintenances/upcoming": ["page", "scheduled_maintenances"],
    "scheduled-maintenances/active": ["page", "scheduled_maintenances"],
}
PATHS = [f"/api/v2/{name}.json" for name in LISTS]


def read(name: str) -> Any:
    answer = get(f"/api/v2/{name}.json")
    assert answer.status_code == 200
    return json.loads(answer.content)


def codes(rows: list[Any]) -> list[str]:
    return [row["id"] for row in rows]


def raw(path: str, **headers: str) -> HttpResponse:
    """As a server gets it: the test client would take what follows two slashes for a host."""
    return Client().get("/", PATH_INFO=path, headers=headers)  # type: ignore[return-value]


@pytest.mark.parametrize(("name", "keys"), LISTS.items())
def test_an_empty_page_has_every_key_and_empty_lists(name: str, keys: list[str]) -> None:
    page = make_page(name="Acme", domain="status.acme.example")
    body = read(name)
    assert list(body) == keys
    assert list(body["page"]) == ["id", "name", "url", "time_zone", "updated_at"]
    assert body["page"]["id"] == page.public_id
    assert body["page"]["url"] == "http://status.acme.example"
    assert all(body[key] == [] for key in keys if key not in ("page", "status"))


def test_the_headline_is_the_home_pages() -> None:
    page = make_page()
    make_component(page, "A", status="partial_outage")
    make_component(page, "B")
    expected = {"indicator": "minor", "description": "Minor Service Outage"}
    assert read("status")["status"] == read("summary")["status"] == expected


def test_components_are_sorted_by_position_over_everything_and_every_group_is_among_them() -> None:
    page = make_page()
    for name in ("First", "Second"):
        group = make_group(page, name)
        for part in ("a", "b"):
            make_component(page, f"{name} {part}", group=group)
    make_component(page, "Loose")
    rows = read("components")["components"]
    assert [row["position"] for row in rows] == sorted(row["position"] for row in rows)
    assert {row["group_id"] for row in rows} - {None} == {row["id"] for row in rows if row["group"]}
    for row in rows:
        assert ("components" in row) == row["group"]
        if row["group"]:
            assert list(row)[-1] == "components"
            assert row["components"] == codes([child for child in rows if child["group_id"] == row["id"]])


def test_a_group_is_as_bad_as_its_worst_member_that_is_shown() -> None:
    page = make_page()
    group = make_group(page)
    make_component(page, "Bad", group=group, status="degraded_performance")
    gone = make_component(page, "Gone", group=group, status="major_outage")
    component_lifecycle.set_archived(gone, archived=True, actor=ALICE)
    (row,) = [row for row in read("components")["components"] if row["group"]]
    assert row["status"] == "degraded_performance"
    assert gone.public_id not in row["components"]


def test_a_group_without_a_shown_member_is_not_listed() -> None:
    page = make_page()
    make_component(page, "Quiet", group=make_group(page), only_show_if_degraded=True)
    assert read("components")["components"] == []


def test_lists_hold_the_fifty_newest_and_a_summary_all_that_is_open() -> None:
    page, now = make_page(), timezone.now()
    for number in range(52):
        make_incident(page, at=now - timedelta(hours=number), title=f"Incident {number}")
        make_maintenance(page, begins=now + timedelta(days=number + 1), title=f"Maintenance {number}")
    listed = read("incidents")["incidents"]
    assert [row["name"] for row in listed] == [f"Incident {number}" for number in range(50)]
    planned = read("scheduled-maintenances")["scheduled_maintenances"]
    assert [row["name"] for row in planned] == [f"Maintenance {number}" for number in range(51, 1, -1)]
    assert len(read("summary")["incidents"]) == len(read("summary")["scheduled_maintenances"]) == 52


def test_each_thing_is_listed_where_its_status_belongs() -> None:
    page, now = make_page(), timezone.now()
    over = make_resolved(page, at=now - timedelta(days=1))
    still = make_incident(page)
    planned = make_maintenance(page)
    runs = make_maintenance(page, begins=now + timedelta(hours=1))
    maintenance_lifecycle.start(runs, actor=ALICE)
    done = make_maintenance(page, begins=now + timedelta(hours=2))
    maintenance_lifecycle.start(done, actor=ALICE)
    maintenance_lifecycle.complete(done, actor=ALICE)
    lists = {name: codes(read(name)[keys[-1]]) for name, keys in LISTS.items() if name not in ("summary", "status")}
    assert lists["incidents"] == [still.public_id, over.public_id]
    assert lists["incidents/unresolved"] == [still.public_id]
    assert lists["incidents/resolved"] == [over.public_id]
    assert lists["scheduled-maintenances/upcoming"] == [planned.public_id]
    assert lists["scheduled-maintenances/active"] == [runs.public_id]
    assert set(lists["scheduled-maintenances"]) == {planned.public_id, runs.public_id, done.public_id}
    summary = read("summary")
    assert codes(summary["incidents"]) == [still.public_id]
    assert codes(summary["scheduled_maintenances"]) == [runs.public_id, planned.public_id]


def test_updates_are_newest_first_and_name_components_with_their_group() -> None:
    page = make_page()
    api = make_component(page, "API", group=make_group(page, "Core"))
    incident = make_incident(page, components={api: "partial_outage"})
    post(incident, "monitoring", components={api: "operational"})
    (row,) = read("incidents")["incidents"]
    assert [update["status"] for update in row["incident_updates"]] == ["monitoring", "investigating"]
    (affected,) = row["incident_updates"][1]["affected_components"]
    expected = {"code": api.public_id, "name": "Core - API", "old_status": "operational"}
    assert affected == expected | {"new_status": "partial_outage"}
    assert codes(row["components"]) == [api.public_id]


def test_an_incident_names_no_component_row_that_is_off_the_page() -> None:
    page = make_page()
    api = make_component(page, "API")
    make_resolved(page, components={api: "major_outage"})
    component_lifecycle.set_archived(api, archived=True, actor=ALICE)
    (row,) = read("incidents")["incidents"]
    assert row["components"] == []
    # What was said then stays said.
    assert row["incident_updates"][-1]["affected_components"][0]["name"] == "API"


def test_a_published_postmortem_is_the_incidents_status_and_newest_update_until_it_is_retracted() -> None:
    incident = make_resolved(make_page())
    postmortem = postmortem_lifecycle.publish(incident, body="What we learned.", actor=ALICE)
    (row,) = read("incidents")["incidents"]
    first = row["incident_updates"][0]
    assert (row["status"], first["status"], first["body"]) == ("postmortem", "postmortem", "What we learned.")
    postmortem_lifecycle.retract(postmortem, actor=ALICE)
    (row,) = read("incidents")["incidents"]
    assert (row["status"], row["incident_updates"][0]["status"]) == ("resolved", "resolved")


def test_a_shortlink_leads_to_the_incident() -> None:
    incident = make_incident(make_page(domain="status.acme.example"))
    assert (
        read("incidents")["incidents"][0]["shortlink"] == f"http://status.acme.example/incidents/{incident.public_id}"
    )


@pytest.mark.parametrize("path", PATHS)
def test_any_origin_may_read_it_also_when_nothing_changed(path: str) -> None:
    make_incident(make_page())
    first = get(path)
    again = get(path, if_none_match=first["ETag"])
    assert (first.status_code, again.status_code) == (200, 304)
    assert first["Content-Type"] == "application/json; charset=utf-8"
    assert first["Access-Control-Allow-Origin"] == again["Access-Control-Allow-Origin"] == "*"
    assert not first.cookies
    assert "cookie" not in first.get("Vary", "").lower()


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_like_get_without_a_body_and_nothing_can_be_posted(path: str) -> None:
    make_page()
    head, full = Client().head(path), get(path)
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", full["Content-Length"])
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize("path", ["//api/v2/incidents.json", "/api/v2/Incidents.json", "/api//v2//incidents.json"])
def test_loosely_written_addresses_are_understood(path: str) -> None:
    incident = make_incident(make_page())
    answer = raw(path)
    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (200, "*")
    assert codes(json.loads(answer.content)["incidents"]) == [incident.public_id]
    assert raw(path, if_none_match=answer["ETag"]).status_code == 304


@pytest.mark.parametrize("path", ["/api/v2/nothing.json", "/api/v2", "//api//v2/", "/api/v2/incidents.json/x%00"])
def test_what_there_is_not_is_said_in_json(path: str) -> None:
    make_page()
    answer = raw(path)
    assert (answer.status_code, json.loads(answer.content)["error"]) == (404, "not found")


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/plain, */*", "text/html", "image/png"])
def test_what_a_client_says_that_it_accepts_is_irrelevant(accept: str) -> None:
    make_page()
    assert get("/api/v2/summary.json", accept=accept)["Content-Type"] == "application/json; charset=utf-8"


def test_a_page_is_told_apart_by_its_host() -> None:
    make_page(name="First")
    other = make_page(name="Other", domain="status.other.example")
    make_incident(other, title="Elsewhere")
    assert "Elsewhere" not in get("/api/v2/incidents.json").content.decode()
    answer = Client(headers={"host": "status.other.example"}).get("/api/v2/incidents.json")
    assert "Elsewhere" in answer.content.decode()


def queries_of(path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert get(path).status_code == 200
    return len(queries)


def fill(page: Page, count: int) -> None:
    """`count` groups of four components, and as many open incidents, past ones and maintenances, each naming some."""
    now = timezone.now()
    for number in range(count):
        group = make_group(page, f"Group {number}")
        parts = [make_component(page, f"Part {number}.{part}", group=group) for part in range(4)]
        incident = make_incident(page, components=dict.fromkeys(parts[:2], "partial_outage"))
        post(incident, components={parts[0]: "degraded_performance"})
        make_resolved(page, components={parts[3]: "major_outage"}, at=now - timedelta(days=number + 1))
        make_maintenance(page, components=parts[2:3], begins=now + timedelta(days=number + 1))


MOST_QUERIES = {"summary": 6, "status": 3, "components": 2}


def test_queries_do_not_grow_with_the_rows() -> None:
    page = make_page()
    fill(page, 2)
    before = {name: queries_of(f"/api/v2/{name}.json") for name in LISTS}
    assert {name: count for name, count in before.items() if count > MOST_QUERIES.get(name, 5)} == {}
    fill(page, 4)
    assert {name: queries_of(f"/api/v2/{name}.json") for name in LISTS} == before


def test_a_summary_of_two_hundred_components_and_fifty_incidents_needs_six_queries() -> None:
    page = make_page()
    fill(page, 50)
    body = read("summary")
    assert (len(body["components"]), len(body["incidents"])) == (250, 50)
    assert queries_of("/api/v2/summary.json") == 6


def test_what_is_hidden_appears_nowhere() -> None:
    page = make_page()
    hidden = make_incident(page, title="canary-title", body="canary-body")
    planned = make_maintenance(page, title="canary-plan")
    Incident.objects.filter(pk__in=[hidden.pk, planned.pk]).update(hidden_at=timezone.now())
    make_component(page, "canary-quiet", only_show_if_degraded=True, group=make_group(page, "canary-group"))
    archived = make_component(page, "canary-archived")
    component_lifecycle.set_archived(archived, archived=True, actor=ALICE)
    drafted = make_resolved(page)
    postmortem_lifecycle.save_draft(drafted, body="canary-draft", actor=ALICE)
    for path in PATHS:
        assert "canary" not in get(path).content.decode(), path
