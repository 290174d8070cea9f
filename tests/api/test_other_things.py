"""Pages, postmortems, templates and metrics through the API."""

from typing import Any

import pytest

from incidents.actions.postmortems import reviews
from incidents.models import AuditEntry, Event, MetricPoint, Page, Postmortem
from statuspage.accounts.models import Scope
from tests.api.programs import Program, make_program
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved

POSTMORTEM_KEYS = """preview_key body body_updated_at body_draft body_draft_updated_at published_at notify_subscribers
notify_twitter custom_tweet created_at updated_at"""
TEMPLATE_KEYS = "id components name title body group_id update_status should_tweet should_send_notifications"
METRIC_KEYS = """id metrics_provider_id metric_identifier name display tooltip_description backfilled y_axis_min
y_axis_max y_axis_hidden suffix decimal_places most_recent_data_at created_at updated_at last_fetched_at
backfill_percentage reference_name"""


def test_a_page_has_all_of_statuspages_keys(program: Program) -> None:
    page = program.get("")
    assert len(page) == 45
    assert (page["id"], page["name"], page["time_zone"]) == (program.page.public_id, "Acme", "Etc/UTC")
    assert page["notifications_email_footer"].endswith("Acme's service status notifications.")


def test_supported_page_settings_are_changed_and_others_ignored(program: Program) -> None:
    fields = {"name": "New", "time_zone": "Europe/Berlin", "page_description": "Hello", "css_greens": "#0f0"}
    page = program.patch("", {"page": {**fields, "domain": "Status.Example.com", "support_url": "https://example.com"}})
    assert (page["name"], page["time_zone"], page["page_description"]) == ("New", "Europe/Berlin", "Hello")
    assert (page["domain"], page["css_greens"]) == ("status.example.com", None)
    assert page["created_at"].endswith(("+01:00", "+02:00"))
    assert program.put("", {"page": {"domain": ""}})["domain"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("time_zone", "Mars/Olympus"),
        ("support_url", "javascript:alert(1)"),
        ("domain", "https://status.example.com/"),
        ("domain", "status.example.com:8000"),
        ("domain", "taken.example.com"),
    ],
)
def test_invalid_page_settings_are_rejected(program: Program, field: str, value: str) -> None:
    make_page(name="Other", domain="taken.example.com")
    before = program.get("")
    assert list(program.patch("", {"page": {field: value}}, code=422)["error"]) == [field]
    assert program.get("") == before


@pytest.mark.parametrize("wrapped", [True, False])
def test_the_widgets_settings_are_saved(program: Program, *, wrapped: bool) -> None:
    fields = {"position": "top-right", "incident_background_color": "#ABCDEF"}
    body = {"status_embed_config": fields} if wrapped else fields
    changed = program.patch("/status_embed_config", body)
    assert changed == program.get("/status_embed_config")
    assert (changed["position"], changed["incident_background_color"]) == ("top-right", "#ABCDEF")
    assert changed["incident_text_color"] == "#ffffff"


def test_a_color_must_be_a_css_color(program: Program) -> None:
    payload = {"status_embed_config": {"incident_text_color": "red;} body{display:none"}}
    assert "incident_text_color" in program.patch("/status_embed_config", payload, code=422)["error"]


def test_a_postmortem_is_drafted_published_and_retracted(program: Program) -> None:
    incident = make_resolved(program.page)
    path = f"/incidents/{incident.public_id}/postmortem"
    program._json(program.request("GET", path), 404)
    draft = program.put(path, {"postmortem": {"body_draft": "## Why"}})
    assert list(draft) == POSTMORTEM_KEYS.split()
    assert (draft["body"], draft["body_draft"], draft["published_at"]) == (None, "## Why", None)
    published = program.put(f"{path}/publish", {"postmortem": {"notify_subscribers": True}})
    assert (published["body"], published["notify_subscribers"]) == ("## Why", True)
    assert Event.objects.get(kind="postmortem.published").notify
    document = program.get(f"/incidents/{incident.public_id}")
    assert (document["postmortem_body"], document["postmortem_notified_subscribers"]) == ("## Why", True)
    assert document["status"] == "resolved"
    assert program.put(f"{path}/revert")["published_at"] is None
    assert program.get(f"/incidents/{incident.public_id}")["postmortem_body"] is None
    assert program.delete(path, code=204) is None
    program._json(program.request("GET", path), 404)


def test_a_draft_is_returned_only_to_tokens_that_may_write_it(program: Program) -> None:
    path = f"/incidents/{make_resolved(program.page).public_id}/postmortem"
    reader, writer = make_program(program.page, Scope.READ), make_program(program.page, Scope.INCIDENTS)
    writer.put(path, {"postmortem": {"body_draft": "## Why"}})
    reader._json(reader.request("GET", path), 404)
    assert writer.get(path)["body_draft"] == "## Why"
    writer.put(f"{path}/publish")
    writer.put(path, {"postmortem": {"body_draft": "## Why, really"}})
    postmortem = reader.get(path)
    assert (postmortem["body"], postmortem["body_draft"], postmortem["body_draft_updated_at"]) == ("## Why", None, None)
    assert writer.get(path)["body_draft"] == "## Why, really"


def test_publishing_sends_notifications_only_on_request(program: Program) -> None:
    incident = make_resolved(program.page)
    path = f"/incidents/{incident.public_id}/postmortem"
    program.put(path, {"postmortem": {"body_draft": "## Why"}})
    program.put(f"{path}/publish")
    assert not Event.objects.get(kind="postmortem.published").notify


def test_an_open_incident_cannot_have_a_published_postmortem(program: Program) -> None:
    path = f"/incidents/{make_incident(program.page).public_id}/postmortem"
    program.put(path, {"postmortem": {"body_draft": "## Why"}})
    assert "Resolve" in program.put(f"{path}/publish", {}, code=422)["message"]
    assert "body_draft" in program.put(path, {"postmortem": {"body_draft": "  "}}, code=422)["error"]
    assert "body_draft" in program.put(path, {"postmortem": {"body_draft": "[" * 400}}, code=422)["error"]


def test_the_api_cannot_publish_without_a_required_approval(program: Program) -> None:
    Page.objects.update(postmortems_need_approval=True)
    path = f"/incidents/{make_resolved(program.page).public_id}/postmortem"
    program.put(path, {"postmortem": {"body_draft": "## Why"}})
    assert "approval" in program.put(f"{path}/publish", {}, code=422)["message"]
    reviews.approve(Postmortem.objects.get(), actor=ALICE)
    program.put(path, {"postmortem": {"body_draft": "## Why not"}})
    program.put(f"{path}/publish", {}, code=422)
    reviews.approve(Postmortem.objects.get(), actor=ALICE)
    assert program.put(f"{path}/publish", {})["body"] == "## Why not"


def test_a_template_is_saved_with_its_components(program: Program) -> None:
    api = make_component(program.page)
    fields = {
        "name": "Down",
        "title": "We are down",
        "body": "Sorry.",
        "group_id": "outages",
        "update_status": "identified",
        "should_send_notifications": False,
    }
    made = program.post("/incident_templates", {"template": {**fields, "component_ids": [api.public_id]}})
    assert list(made) == TEMPLATE_KEYS.split()
    assert {name: made[name] for name in fields} == fields
    assert [row["id"] for row in made["components"]] == [api.public_id]
    assert program.get("/incident_templates") == [made]
    path = f"/incident_templates/{made['id']}"
    changed = program.patch(path, {"template": {"title": "Still down", "group_id": None, "component_ids": []}})
    assert (changed["title"], changed["group_id"], changed["components"]) == ("Still down", None, [])
    assert program.delete(path) == changed
    assert program.get("/incident_templates") == []
    assert AuditEntry.objects.filter(verb="presets.changed").count() == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"),
        ({"title": ""}, "title"),
        ({"body": " "}, "body"),
        ({"update_status": "nonsense"}, "update_status"),
        ({"component_ids": ["nosuch"]}, "component_ids"),
        ({"name": "Taken"}, "name"),
    ],
)
def test_an_invalid_template_is_rejected(program: Program, changes: dict[str, Any], field: str) -> None:
    good = {"name": "Taken", "title": "Title", "body": "Body"}
    program.post("/incident_templates", {"template": good})
    fields = {**good, "name": "Free", **changes}
    assert field in program.post("/incident_templates", {"template": fields}, code=422)["error"]
    assert len(program.get("/incident_templates")) == 1


@pytest.fixture
def metric(program: Program) -> Any:
    provider = program.post("/metrics_providers", {"metrics_provider": {"type": "Self"}})
    fields = {"name": "Latency", "suffix": "ms", "y_axis_min": 0, "y_axis_max": 500.5, "decimal_places": 1}
    return program.post(f"/metrics_providers/{provider['id']}/metrics", {"metric": fields})


def test_a_metric_is_created_and_changed(program: Program, metric: Any) -> None:
    assert list(metric) == METRIC_KEYS.split()
    assert (metric["name"], metric["suffix"], metric["y_axis_max"]) == ("Latency", "ms", 500.5)
    assert program.get("/metrics") == [metric]
    assert program.get(f"/metrics_providers/{metric['metrics_provider_id']}/metrics") == [metric]
    changed = program.patch(f"/metrics/{metric['id']}", {"metric": {"name": "Response time", "suffix": None}})
    assert (changed["name"], changed["suffix"], changed["decimal_places"]) == ("Response time", None, 1)
    assert program.delete(f"/metrics/{metric['id']}")["id"] == metric["id"]
    assert program.get("/metrics") == []


def test_points_are_added_replaced_and_cleared(program: Program, metric: Any) -> None:
    path = f"/metrics/{metric['id']}/data"
    point = {"timestamp": 1_700_000_000, "value": 12.5}
    assert program.post(path, {"data": point}) == {"data": point}
    program.post(path, {"data": {**point, "value": 13}})
    assert MetricPoint.objects.get().value == 13
    assert program.get(f"/metrics/{metric['id']}")["most_recent_data_at"] == "2023-11-14T22:13:20.000Z"
    many = {"data": {metric["id"]: [{"timestamp": 1_700_000_000 + n, "value": n} for n in range(50)]}}
    assert program.post("/metrics/data", many, code=202)[metric["id"]][1]["value"] == 1
    assert MetricPoint.objects.count() == 50
    assert program.delete(path)["id"] == metric["id"]
    assert not MetricPoint.objects.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"timestamp": 0, "value": 1},
        {"timestamp": 10**18, "value": 1},
        {"timestamp": "soon", "value": 1},
        {"timestamp": 1_700_000_000, "value": 1e308},
        {"timestamp": 1_700_000_000},
    ],
)
def test_an_invalid_point_is_rejected(program: Program, metric: Any, data: Any) -> None:
    program.post(f"/metrics/{metric['id']}/data", {"data": data}, code=422)
    assert not MetricPoint.objects.exists()


def test_points_are_rejected_together_if_one_metric_is_unknown(program: Program, metric: Any) -> None:
    point = [{"timestamp": 1_700_000_000, "value": 1}]
    program.post("/metrics/data", {"data": {metric["id"]: point, "nosuch": point}}, code=422)
    assert not MetricPoint.objects.exists()


def test_an_inverted_axis_is_rejected(program: Program, metric: Any) -> None:
    error = program.patch(f"/metrics/{metric['id']}", {"metric": {"y_axis_max": -1}}, code=422)
    assert "y_axis_max" in error["error"]


def test_other_metrics_providers_are_rejected(program: Program) -> None:
    payload = {"metrics_provider": {"type": "Datadog", "api_key": "secret"}}
    assert "Datadog" in program.post("/metrics_providers", payload, code=422)["error"]["type"][0]
    made = program.post("/metrics_providers", {"metrics_provider": {"type": "Self"}})
    path = f"/metrics_providers/{made['id']}"
    assert program.patch(path, {"metrics_provider": {}}) == program.get(path) == made
    assert program.delete(path) == made
    assert program.get("/metrics_providers") == []
