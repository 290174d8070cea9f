"""JSON beside the API v2: the history and one incident as Statuspage has them, a feed and all uptime as only we do."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident
from incidents.models.findings import Findings, TimelineLine
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
from tests.public.parsed_page import get, read

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 3, 20, 12, tzinfo=UTC)


def read_json(path: str, *, status: int = 200, **headers: str) -> Any:
    answer = get(path, **headers)
    assert answer.status_code == status, path
    assert answer["Access-Control-Allow-Origin"] == "*"
    return json.loads(answer.content)


def queries_of(path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert get(path).status_code == 200
    return len(queries)


def at(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


@pytest.fixture
def _march() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.usefixtures("_march")
def test_the_history_has_three_months_in_statuspages_shape() -> None:
    page = make_page(name="Acme", time_zone="Europe/London")
    make_component(page, "API")
    short = make_resolved(page, at=at(2, 29, 22), until=at(2, 29, 23), title="Leap")
    make_resolved(page, at=at(1, 30), until=at(2, 2), title="Long")
    body = read_json("/history.json")
    assert list(body) == [
        *("page_status", "components", "months", "show_component_filter", "show_uptime_calendar"),
        *("component_filter", "start_time", "end_time"),
    ]
    page_keys = list(body["page_status"]["page"])
    assert (page_keys[0], page_keys[-1], body["page_status"]["page"]["id"]) == ("name", "id", page.public_id)
    assert [list(row)[:2] for row in body["components"]] == [["status", "name"]]
    march, february, january = body["months"]
    assert list(february) == ["name", "year", "starts_on", "days", "incidents"]
    shown = [(month["name"], month["year"], month["starts_on"], month["days"]) for month in body["months"]]
    assert shown == [("March", 2024, 5, 31), ("February", 2024, 4, 29), ("January", 2024, 1, 31)]
    assert march["incidents"] == []
    (leap,) = february["incidents"]
    assert leap == {
        "code": short.public_id,
        "name": "Leap",
        "message": "This incident has been resolved.",
        "impact": "none",
        "timestamp": "Feb <var data-var='date'>29</var>, <var data-var='time'>22:00</var> - "
        "<var data-var='time'>23:00</var> GMT",
    }
    assert january["incidents"][0]["timestamp"] == (
        "Jan <var data-var='date'>30</var>, <var data-var='time'>09:00</var> - "
        "Feb <var data-var='date'> 2</var>, <var data-var='time'>09:00</var> GMT"
    )
    assert (body["start_time"], body["end_time"]) == ("2024-01-01T00:00:00+00:00", "2024-03-31T23:59:59+01:00")


@pytest.mark.usefixtures("_march")
def test_the_historys_page_says_the_same_to_who_wants_json() -> None:
    page = make_page()
    make_resolved(page, at=at(1, 30), until=at(2, 2))
    make_resolved(page, at=datetime(2023, 8, 1, tzinfo=UTC), until=datetime(2023, 8, 2, tzinfo=UTC))
    for query in ("", "?page=1", "?page=2", "?page=3"):
        wanted = read_json(f"/history.json{query}")
        assert read_json(f"/history{query}", accept="application/json") == wanted
        assert len(wanted["months"]) == 3
    browser = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"
    for accept in ("*/*", browser):
        answer = get("/history", accept=accept)
        assert answer["Content-Type"].startswith("text/html")
        assert "accept" in answer["Vary"].lower()


@pytest.mark.usefixtures("_march")
def test_the_historys_page_carries_the_same_for_who_reads_statuspages_markup() -> None:
    page = make_page()
    make_component(page, "API")
    nasty = "</div><script>alert('1')</script> \"&amp;\" Größe"
    make_resolved(page, at=at(1, 30), until=at(2, 2), title=nasty)
    make_resolved(page, at=datetime(2023, 8, 1, tzinfo=UTC), until=datetime(2023, 8, 2, tzinfo=UTC))
    for query in ("", "?page=2", "?page=3"):
        document = read(f"/history{query}")
        mount = document.one("div", data_react_class="HistoryIndex")
        assert json.loads(mount.attributes["data-react-props"]) == read_json(f"/history.json{query}")
        assert (mount.text, "hidden" in mount.attributes) == ("", True)
    assert not read("/history/2").all("div", data_react_class="HistoryIndex")
    assert nasty in [row["name"] for month in read_json("/history.json")["months"] for row in month["incidents"]]


@pytest.mark.usefixtures("_march")
@pytest.mark.parametrize("number", ["0", "2", "-1", "x", "", "1" * 9, "%00"])
def test_months_that_there_are_not_are_not_found(number: str) -> None:
    make_page()
    assert read_json(f"/history.json?page={number}", status=404)["error"] == "not found"


def test_the_newest_update_is_told_whole_and_ongoing_ones_have_no_end() -> None:
    incident = make_incident(make_page())
    post(incident, body="Long. " * 500)
    (month, *_) = read_json("/history.json")["months"]
    (entry,) = month["incidents"]
    assert entry["message"] == ("Long. " * 500).strip()
    assert " - " not in entry["timestamp"]


INCIDENT_KEYS = [
    *("name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink"),
    *("started_at", "postmortem_ignored", "postmortem_body", "postmortem_body_last_updated_at"),
    *("postmortem_published_at", "postmortem_notified_subscribers", "postmortem_notified_twitter", "backfilled"),
    *("scheduled_for", "scheduled_until", "scheduled_remind_prior", "scheduled_reminded_at", "impact_override"),
    *("scheduled_auto_in_progress", "scheduled_auto_completed", "id", "page_id", "incident_updates", "components"),
    *("reminder_intervals", "candor"),
]
UPDATE_KEYS = [
    *("status", "body", "created_at", "wants_twitter_update", "twitter_updated_at", "updated_at", "display_at"),
    *("affected_components", "custom_tweet", "deliver_notifications", "tweet_id", "id", "incident_id"),
]


def test_an_incident_is_told_with_every_key() -> None:
    incident = make_incident(make_page())
    body = read_json(f"/incidents/{incident.public_id}.json")
    assert list(body) == INCIDENT_KEYS
    assert list(body["incident_updates"][0]) == UPDATE_KEYS
    assert body["postmortem_body"] is body["scheduled_for"] is body["impact_override"] is None
    assert body["postmortem_notified_subscribers"] is body["scheduled_auto_in_progress"] is False
    assert body["candor"] == {"kind": "incident", "edited": [], "postmortem": None, "cancelled_at": None}


def test_a_maintenance_is_told_with_its_window_and_what_happens_by_itself() -> None:
    maintenance = make_maintenance(make_page(), auto_start=True, auto_complete=False, reminders=(60,))
    body = read_json(f"/incidents/{maintenance.public_id}.json")
    assert list(body) == INCIDENT_KEYS
    assert (body["scheduled_auto_in_progress"], body["scheduled_auto_completed"]) == (True, False)
    assert (body["scheduled_remind_prior"], body["scheduled_reminded_at"]) == (True, None)
    assert body["scheduled_for"] < body["scheduled_until"]
    maintenance_lifecycle.cancel(maintenance, actor=ALICE)
    assert read_json(f"/incidents/{maintenance.public_id}.json")["candor"]["cancelled_at"]


def test_a_postmortem_is_told_whole_and_its_action_items_and_revisions_are_ours() -> None:
    incident = make_resolved(make_page())
    items = [ActionItemDraft(text="Upgrade the client", owner="Platform", done=True), ActionItemDraft(text="Alarm")]
    postmortem_lifecycle.publish(incident, body="What we learned.", actor=ALICE, action_items=items)
    postmortem_lifecycle.publish(incident, body="What we have learned.", actor=ALICE)
    body = read_json(f"/incidents/{incident.public_id}.json")
    assert (body["status"], body["postmortem_body"]) == ("postmortem", "What we have learned.")
    assert body["postmortem_notified_subscribers"] is True
    assert body["incident_updates"][0]["status"] == "postmortem"
    ours = body["candor"]["postmortem"]
    assert [item["text"] for item in ours["action_items"]] == ["Upgrade the client", "Alarm"]
    assert ours["action_items"][0]["owner"] == "Platform"
    assert ours["action_items"][1]["done_at"] is None
    assert [revision["body"] for revision in ours["revisions"]] == ["What we learned."]
    assert (ours["timeline"], ours["moments"], ours["components"], ours["factors"]) == ([], {}, [], [])


def test_the_account_of_a_postmortem_is_told_without_its_private_lines() -> None:
    api, ago = make_component(page := make_page()), timezone.now() - timedelta(hours=2)
    incident = make_resolved(page, at=ago, until=ago + timedelta(minutes=48), components={api: "major_outage"})
    lines = (TimelineLine(ago, "It fails"), TimelineLine(ago, "Ada is ill", is_public=False))
    findings = Findings(timeline=lines, detected_at=ago + timedelta(minutes=3), factors=("No alarm",))
    postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE, findings=findings)
    ours = read_json(f"/incidents/{incident.public_id}.json")["candor"]["postmortem"]
    assert [line["text"] for line in ours["timeline"]] == ["It fails"]
    assert ours["moments"].keys() == {"began", "detected", "resolved", "ended"}
    assert ours["components"] == [{"name": "REST API", "seconds": 48 * 60}]
    assert ours["factors"] == ["No alarm"]
    assert "Ada" not in str(ours)


def test_what_an_edited_update_said_before_is_told() -> None:
    incident = make_incident(make_page(), body="It is over.")
    update = incident.updates.get()
    incident_lifecycle.edit_update(update, body="It is not over.", actor=ALICE)
    (edit,) = read_json(f"/incidents/{incident.public_id}.json")["candor"]["edited"]
    assert (edit["update_id"], edit["revisions"][0]["body"]) == (update.public_id, "It is over.")


@pytest.mark.parametrize("code", ["nosuchcode12", "x"])
def test_an_incident_that_there_is_not_is_not_found(code: str) -> None:
    make_page()
    assert read_json(f"/incidents/{code}.json", status=404)["error"] == "not found"


def test_the_feed_is_a_json_feed_whose_items_keep_their_id_and_date() -> None:
    page = make_page(name="Acme", domain="status.acme.example")
    incident = make_incident(page, title="A <b>bold</b> title")
    feed = read_json("/feed.json")
    assert get("/feed.json")["Content-Type"] == "application/feed+json; charset=utf-8"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (feed["title"], feed["feed_url"]) == (
        "Acme Status - Incident History",
        "http://status.acme.example/feed.json",
    )
    (before,) = feed["items"]
    assert before["title"] == "A <b>bold</b> title"
    post(incident, body="**More** of it")
    (after,) = read_json("/feed.json")["items"]
    assert before["id"] == after["id"] == f"http://status.acme.example/incidents/{incident.public_id}"
    assert before["date_published"] == after["date_published"]
    assert before["date_modified"] <= after["date_modified"]
    assert "<strong>More</strong> of it" in after["content_html"]


def test_the_feed_is_linked_from_the_page() -> None:
    make_page()
    assert '<link rel="alternate" type="application/feed+json"' in get("/").content.decode()


def test_all_published_uptime_is_told_with_where_to_recompute_it() -> None:
    page = make_page(domain="status.acme.example")
    api = make_component(page, "API", group=make_group(page, "Core"))
    make_component(page, "Unpublished", showcase=False)
    body = read_json("/uptime.json")
    (row,) = body["components"]
    assert (row["id"], row["name"]) == (api.public_id, "Core - API")
    assert row["uptime_percentage"] == {"30_days": 100.0, "90_days": 100.0, "365_days": 100.0}
    assert row["proof"] == f"http://status.acme.example/uptime/{api.public_id}.json"
    assert body["weights"]["partial_outage"] == 0.3


def test_a_percentage_is_that_of_the_proof() -> None:
    page = make_page()
    began = timezone.now() - timedelta(days=2)
    with time_machine.travel(began):
        api = make_component(page)
    make_resolved(
        page, components={api: "major_outage"}, at=began + timedelta(hours=3), until=began + timedelta(hours=9)
    )
    with time_machine.travel(timezone.now().replace(microsecond=0), tick=False):
        (row,) = read_json("/uptime.json")["components"]
        proof = json.loads(get(f"/uptime/{api.public_id}.json?days=30").content)
    assert row["uptime_percentage"]["30_days"] == proof["uptime_percentage"] < 100


def fill(count: int) -> Incident:
    page = make_page() if not Incident.objects.exists() else Incident.objects.all()[0].page
    for number in range(count):
        api = make_component(page, f"Part {number}", group=make_group(page))
        make_maintenance(page, components=[api])
        incident = make_resolved(page, components={api: "major_outage"})
        postmortem_lifecycle.publish(
            incident, body="We learned.", actor=ALICE, action_items=[ActionItemDraft(text="Do it")]
        )
    return incident


def test_queries_do_not_grow_with_the_rows() -> None:
    incident = fill(2)
    paths = ("/history.json", f"/incidents/{incident.public_id}.json", "/feed.json", "/uptime.json")
    before = [queries_of(path) for path in paths]
    assert all(count <= most for count, most in zip(before, (5, 11, 4, 4), strict=True)), before
    fill(5)
    for _ in range(5):
        make_maintenance(incident.page, reminders=(60, 5))
    incident_lifecycle.reopen(incident, UpdateInput(body="It is back."), actor=ALICE)
    for _ in range(5):
        incident_lifecycle.edit_update(post(incident), body="We know better.", actor=ALICE)
    assert [queries_of(path) for path in paths] == before


def test_what_is_hidden_appears_nowhere() -> None:
    page = make_page()
    hidden = make_incident(page, title="canary-title", body="canary-body")
    Incident.objects.filter(pk=hidden.pk).update(hidden_at=timezone.now())
    make_component(page, "canary-quiet", only_show_if_degraded=True)
    drafted = make_resolved(page)
    postmortem = postmortem_lifecycle.publish(drafted, body="canary-first", actor=ALICE)
    postmortem_lifecycle.retract(postmortem, actor=ALICE)
    postmortem_lifecycle.save_draft(
        drafted, body="canary-draft", actor=ALICE, action_items=[ActionItemDraft(text="canary-item")]
    )
    shown = make_incident(page, body="Public.")
    incident_lifecycle.edit_update(shown.updates.get(), body="Still public.", actor=ALICE)
    for path in ("/history.json", "/feed.json", "/uptime.json", f"/incidents/{drafted.public_id}.json"):
        assert "canary" not in get(path).content.decode(), path
    assert "Alice" not in get(f"/incidents/{shown.public_id}.json").content.decode()
    read_json(f"/incidents/{hidden.public_id}.json", status=404)
