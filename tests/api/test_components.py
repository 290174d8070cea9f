"""Components and their groups through the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from incidents.models import Component, Event
from statuspage.subscribers.models import Interest
from tests.api.programs import Program
from tests.factories import make_component, make_group, make_incident, make_page, make_resolved, make_subscriber_with

KEYS = """id page_id group_id created_at updated_at group name description position status showcase
only_show_if_degraded automation_email start_date"""
GROUP_KEYS = "id page_id name description components position created_at updated_at"


def test_a_component_is_created_with_every_key(program: Program) -> None:
    group = make_group(program.page)
    data = {
        "name": "API",
        "description": "REST",
        "status": "partial_outage",
        "group_id": group.public_id,
        "showcase": False,
        "only_show_if_degraded": True,
        "start_date": "2024-01-31",
    }
    made = program.post("/components", {"component": data})
    assert list(made) == KEYS.split()
    assert {name: made[name] for name in data} == data
    assert (made["group"], made["page_id"], made["position"]) == (False, program.page.public_id, 1)
    assert program.get(f"/components/{made['id']}") == made


def test_only_a_name_is_needed(program: Program) -> None:
    made = program.post("/components", {"component": {"name": "API", "group_id": None, "status": ""}})
    assert (made["status"], made["description"], made["start_date"]) == ("operational", None, None)
    assert made["showcase"]
    assert "name" in program.post("/components", {"component": {}}, code=422)["error"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 256),
        ("status", "broken"),
        ("group_id", "nosuch"),
        ("start_date", "2999-01-01"),
        ("start_date", "0001-01-01"),
        ("start_date", "soon"),
        ("description", "x" * 1001),
        ("showcase", "perhaps"),
    ],
)
def test_invalid_input_names_the_field_and_creates_nothing(program: Program, field: str, value: Any) -> None:
    error = program.post("/components", {"component": {"name": "API", field: value}}, code=422)
    assert list(error["error"]) == [field]
    assert field in error["message"]
    assert not Component.objects.exists()


def test_a_patch_changes_only_the_fields_that_are_sent(program: Program) -> None:
    component = make_component(program.page, "API", description="REST", group=make_group(program.page))
    path = f"/components/{component.public_id}"
    before = program.get(path)
    changed = program.patch(path, {"component": {"status": "major_outage"}})
    assert {**changed, "updated_at": ""} == {**before, "updated_at": "", "status": "major_outage"}
    renamed = program.put(path, {"component": {"name": "New", "description": None, "group_id": ""}})
    assert (renamed["name"], renamed["description"], renamed["group_id"]) == ("New", None, None)
    assert renamed["status"] == "major_outage"


def test_sending_the_same_values_again_changes_nothing(program: Program) -> None:
    component = make_component(program.page, "API")
    path, count = f"/components/{component.public_id}", Event.objects.count()
    same = program.get(path)
    assert program.patch(path, {"component": same}) == same
    assert Event.objects.count() == count


def test_an_earlier_start_lengthens_the_known_history(program: Program) -> None:
    component = make_component(program.page, "API")
    program.patch(f"/components/{component.public_id}", {"component": {"start_date": "2024-01-31"}})
    first = component.intervals.as_corrected().get()
    assert (first.started_at.date().isoformat(), first.status) == ("2024-01-31", "operational")


def test_a_deleted_component_is_archived(program: Program) -> None:
    component = make_component(program.page)
    make_incident(program.page, components={component: "partial_outage"})
    assert program.delete(f"/components/{component.public_id}", code=204) is None
    assert program.request("GET", f"/components/{component.public_id}").status_code == 404
    assert program.get("/components") == []
    component.refresh_from_db()
    assert component.archived_at


def test_a_list_has_up_to_1100_components(program: Program) -> None:
    for number in range(120):
        make_component(program.page, f"Number {number}")
    assert len(program.get("/components")) == 100
    assert len(program.get("/components?per_page=1100")) == 120
    assert len(program.get("/components?page=2&per_page=100")) == 20


def test_the_queries_of_a_list_do_not_grow_with_its_length(
    program: Program, django_assert_max_num_queries: Any
) -> None:
    groups = [make_group(program.page, f"Group {number}") for number in range(5)]
    for number in range(20):
        make_component(program.page, f"Number {number}", group=groups[number % 5])
    program.get("/components")
    with django_assert_max_num_queries(4):
        assert len(program.get("/components")) == 20
    with django_assert_max_num_queries(5):
        assert len(program.get("/component-groups")) == 5


@pytest.mark.parametrize("inside", [True, False])
def test_a_group_is_created_with_its_description_in_either_place(program: Program, *, inside: bool) -> None:
    first, second = (make_component(program.page, name) for name in ("One", "Two"))
    group: dict[str, Any] = {"name": "Core", "components": [second.public_id, first.public_id]}
    body = (
        {"component_group": {**group, "description": "x"}} if inside else {"component_group": group, "description": "x"}
    )
    made = program.post("/component-groups", body)
    assert list(made) == GROUP_KEYS.split()
    assert (made["name"], made["description"], made["components"]) == ("Core", "x", group["components"])
    assert isinstance(made["position"], int)
    assert program.get(f"/component-groups/{made['id']}") == made


def test_a_group_has_exactly_the_components_that_are_sent_in_their_order(program: Program) -> None:
    group = make_group(program.page, "Core")
    row, two, three = (make_component(program.page, name, group=group) for name in ("One", "Two", "Three"))
    body = {"component_group": {"name": "Core", "components": [three.public_id, row.public_id]}}
    changed = program.patch(f"/component-groups/{group.public_id}", body)
    assert changed["components"] == [three.public_id, row.public_id]
    two.refresh_from_db()
    assert two.group is None
    renamed = program.put(f"/component-groups/{group.public_id}", {"component_group": {"name": "Renamed"}})
    assert (renamed["name"], renamed["components"]) == ("Renamed", changed["components"])


def test_a_group_with_unknown_components_is_rejected(program: Program) -> None:
    elsewhere = make_component(make_page(name="Other"))
    for components in (["nosuch"], [elsewhere.public_id]):
        body = {"component_group": {"name": "Core", "components": components}}
        assert "components" in program.post("/component-groups", body, code=422)["error"]
    assert not program.page.groups.exists()


def test_deleting_a_group_keeps_its_components_and_their_subscribers(program: Program) -> None:
    group = make_group(program.page)
    component = make_component(program.page, group=group)
    reader = make_subscriber_with(program.page, groups=(group,))
    gone = program.delete(f"/component-groups/{group.public_id}")
    assert gone["components"] == [component.public_id]
    assert program.request("GET", f"/component-groups/{group.public_id}").status_code == 404
    assert Interest.objects.get(subscriber=reader).component == component


def test_uptime_includes_outages_and_related_incidents(program: Program) -> None:
    group = make_group(program.page, "Core")
    start = timezone.now() - timedelta(days=20)
    component = make_component(program.page, "API", group=group, start_date=start.date())
    began = timezone.now() - timedelta(days=10)
    incident = make_resolved(program.page, components={component: "major_outage"}, at=began, until=began)
    program.post("/incidents", {"incident": {"name": "Unrelated"}})
    component_uptime = program.get(f"/components/{component.public_id}/uptime")
    assert list(component_uptime) == [
        "range_start",
        "range_end",
        "uptime_percentage",
        "major_outage",
        "partial_outage",
        "warnings",
        "id",
        "name",
        "related_events",
    ]
    assert component_uptime["major_outage"] == pytest.approx(10 * 86400, abs=5)
    assert 40 < component_uptime["uptime_percentage"] < 60
    assert component_uptime["related_events"] == {"incidents": [{"id": incident.public_id}]}
    group_uptime = program.get(f"/component-groups/{group.public_id}/uptime")
    assert group_uptime["uptime_percentage"] == component_uptime["uptime_percentage"]
    assert group_uptime["related_events"] == [
        {"component_id": component.public_id, "incidents": [{"id": incident.public_id}]}
    ]


def test_an_impossible_range_is_corrected_with_a_warning(program: Program) -> None:
    component = make_component(program.page)
    path = f"/components/{component.public_id}/uptime"
    long = program.get(f"{path}?start=2020-01-01&end=2999-01-01&skip_related_events=true".replace("2999", "2199"))
    assert len(long["warnings"]) == 2
    assert long["related_events"] is None
    assert "start" in program._json(program.request("GET", f"{path}?start=yesterday"), 422)["error"]
    assert program.get(f"{path}?start=2199-01-01")["warnings"]
