"""Moving in from Cachet, from a backup of Uptime Kuma, and from a CSV file."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from incidents.models import Component, Incident, IncidentUpdate, Page, StatusInterval
from statuspage.subscribers.models import Subscriber
from tests.importers.running import Ran, run
from tests.importers.statuspages import as_json
from tests.receivers import ReceivedRequest, Receiver, Reply

pytestmark = pytest.mark.django_db

STAMPS = {"created_at": "2024-03-01 10:00:00", "updated_at": "2024-03-01 11:30:00"}
CACHET_2: dict[str, list[dict[str, Any]]] = {
    "components": [
        {"id": 1, "name": "API", "description": "Calls", "status": 1, "order": 0, "group_id": 7, **STAMPS},
        {"id": 2, "name": "Web", "description": "", "status": "3", "order": 1, "group_id": 0, **STAMPS},
    ],
    "components/groups": [{"id": 7, "name": "Core", "order": 0, **STAMPS}],
    "incidents": [
        {
            "id": 5,
            "component_id": 1,
            "name": "API is slow",
            "status": 4,
            "message": "We are **looking**.",
            "occurred_at": "2024-03-01 09:55:00",
            "updates": [
                {"id": 9, "status": 4, "message": "Over.", "created_at": "2024-03-01 11:20:00"},
                {"id": 8, "status": 2, "message": "Found.", "created_at": "2024-03-01 10:20:00"},
            ],
            **STAMPS,
        },
        {"id": 6, "component_id": 0, "name": "Old", "status": 4, "message": "It was.", **STAMPS},
        {"id": 7, "component_id": 0, "name": "Odd", "status": 99, "message": "Hm.", **STAMPS},
    ],
    "incidents/6/updates": [],
    "incidents/7/updates": [],
    "schedules": [
        {
            "id": 3,
            "name": "DB upgrade",
            "message": "We upgrade.",
            "status": 2,
            "scheduled_at": "2024-03-05 01:00:00",
            "completed_at": "2024-03-05 02:00:00",
            "components": [{"id": 2, "name": "Web", "status": 3}],
            **STAMPS,
        }
    ],
    "subscribers": [
        {"id": 1, "email": "ada@example.com", "verified_at": "2024-01-01 00:00:00", **STAMPS},
        {"id": 2, "email": "new@example.com", "verified_at": None, **STAMPS},
    ],
}


def as_cachet_3(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """The same in the words of Cachet 3: JSON:API, statuses with their labels, times with what people say of them."""
    times = {name.removesuffix("_at"): {"human": "long ago", "string": at} for name, at in row.items() if "_at" in name}
    plain = {name: value for name, value in row.items() if "_at" not in name and not isinstance(value, list)}
    status = {"status": {"human": "Whatever", "value": int(row["status"])}} if "status" in row else {}
    related: dict[str, Any] = {
        name: {"data": [{"type": name, "id": str(item["id"])} for item in rows]}
        for name, rows in row.items()
        if isinstance(rows, list)
    }
    if row.get("group_id"):
        related["group"] = {"data": {"type": "componentGroups", "id": str(row["group_id"])}}
    return {"id": str(row["id"]), "type": kind, "attributes": {**plain, **status, **times}, "relationships": related}


class FakeCachet(Receiver):
    def __init__(self, version: int) -> None:
        super().__init__()
        self.responder = self.serve
        self._version = version

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, received: ReceivedRequest) -> Reply:
        path = received.path.partition("?")[0]
        if self._version == 2 and path.startswith("/api/v1/"):
            rows = CACHET_2.get(path.removeprefix("/api/v1/"))
            is_ours = path != "/api/v1/subscribers" or received.headers.get("x-cachet-token") == "sesame"
            return as_json({"meta": {"pagination": {}}, "data": rows}) if rows is not None and is_ours else Reply(401)
        name = path.removeprefix("/api/").replace("component-groups", "components/groups")
        if self._version == 3 and "v1" not in name and name in CACHET_2 and name != "subscribers":
            rows = CACHET_2[name]
            related = {"components": "components", "updates": "updates"}
            included = [as_cachet_3(related[key], item) for row in rows for key in related for item in row.get(key, [])]
            return as_json({"data": [as_cachet_3(name, row) for row in rows], "included": included, "links": {}})
        return Reply(404, b"<html>")


@pytest.fixture(params=[2, 3])
def cachet(request: pytest.FixtureRequest, settings: LazySettings) -> Any:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    server = FakeCachet(request.param)
    server.start()
    yield server
    server.stop()


def run_cachet(cachet: FakeCachet, *arguments: str) -> Ran:
    return run("cachet", "--url", cachet.base, "--time-zone", "Europe/Berlin", *arguments)


def test_a_cachet_of_either_kind_comes_over_with_its_timelines(cachet: FakeCachet) -> None:
    ran = run_cachet(cachet)
    assert (ran.code, Incident.objects.count()) == (3, 4), ran
    assert "incident 7: its status “99” is unknown and was read as “investigating”" in ran.output
    assert [component.full_name for component in Component.objects.order_by("pk")] == ["Core - API", "Web"]
    assert Component.objects.get(name="Web").status == "partial_outage"
    slow = Incident.objects.get(title="API is slow")
    updates = [(update.status, update.body, f"{update.display_at:%H:%M}") for update in slow.updates.oldest_first()]
    # Cachet's clock was that of Berlin.
    assert updates == [
        ("investigating", "We are **looking**.", "08:55"),
        ("identified", "Found.", "09:20"),
        ("resolved", "Over.", "10:20"),
    ]
    old = Incident.objects.get(title="Old")
    assert (old.status, old.updates.count()) == ("resolved", 1)
    planned = Incident.objects.get(title="DB upgrade")
    assert (planned.kind, planned.status) == ("maintenance", "completed")
    assert planned.window[0] == datetime(2024, 3, 5, 0, tzinfo=UTC)
    assert [component.name for component in planned.affected_components()] == ["Web"]


def test_a_second_run_from_cachet_changes_nothing(cachet: FakeCachet) -> None:
    run_cachet(cachet)
    before = [list(model._default_manager.order_by("pk").values()) for model in (Page, Incident, IncidentUpdate)]
    ran = run_cachet(cachet)
    assert [
        list(model._default_manager.order_by("pk").values()) for model in (Page, Incident, IncidentUpdate)
    ] == before
    assert ran.row("incidents")["unchanged"] == 3


@pytest.mark.parametrize("cachet", [2], indirect=True)
def test_subscribers_of_cachet_come_over_with_a_token(cachet: FakeCachet) -> None:
    run_cachet(cachet, "--token", "sesame")
    assert dict(Subscriber.objects.values_list("email", "state")) == {
        "ada@example.com": "active",
        "new@example.com": "pending",
    }


def test_what_is_no_cachet_is_refused(settings: LazySettings, receiver: Receiver) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    receiver.reply = Reply(404)
    ran = run("cachet", "--url", receiver.url(""))
    assert ran.code == 1
    assert "is not a Cachet installation" in ran.error


def test_the_monitors_of_uptime_kuma_become_components(tmp_path: Path) -> None:
    path = tmp_path / "kuma.json"
    monitors = [
        {"id": 1, "name": "Core", "type": "group", "weight": 1000},
        {"id": 2, "name": "API", "type": "http", "url": "https://api.example.com", "parent": 1, "description": None},
        {"name": "No id", "type": "http"},
        7,
    ]
    path.write_text(
        json.dumps({"version": "1.23.0", "notificationList": [], "monitorList": monitors}), encoding="utf-8"
    )
    ran = run("uptime-kuma", str(path))
    assert (ran.code, ran.row("components")["skipped"]) == (3, 2)
    assert [component.full_name for component in Component.objects.all()] == ["Core - API"]
    assert "not imported: incidents, maintenances, heartbeats" in ran.output
    assert run("uptime-kuma", str(path)).row("components")["unchanged"] == 1


@pytest.mark.parametrize("text", ["", "[]", '{"monitorList": 5}', "<html>"])
def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kuma.json"
    path.write_text(text, encoding="utf-8")
    ran = run("uptime-kuma", str(path))
    assert ran.code == 1
    assert not Page.objects.exists()


SHEET = """incident,title,kind,status,at,body,components,scheduled_for,scheduled_until
INC-1,API outage,,investigating,2024-03-01T10:00:00Z,We are looking.,API=major_outage; Web=degraded_performance,,
INC-1,API outage,,resolved,2024-03-01T11:00:00Z,"Over,
really.",API=operational; Web=operational,,
INC-2,Upgrade,maintenance,scheduled,2024-03-02T10:00,We upgrade.,API,2024-03-05T01:00,2024-03-05T02:00
"""


def test_a_csv_of_updates_becomes_incidents_with_their_history(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text(SHEET, encoding="utf-8")
    ran = run("csv", str(path), "--time-zone", "Europe/Berlin")
    assert ran.code == 0, ran
    outage = Incident.objects.get(title="API outage")
    assert (outage.status, outage.impact, outage.updates.count()) == ("resolved", "critical", 2)
    assert outage.updates.newest_first()[0].body == "Over,\nreally."
    red = StatusInterval.objects.as_corrected().get(status="major_outage")
    assert (red.started_at, red.ended_at) == (
        datetime(2024, 3, 1, 10, tzinfo=UTC),
        datetime(2024, 3, 1, 11, tzinfo=UTC),
    )
    upgrade = Incident.objects.get(title="Upgrade")
    assert upgrade.window == (datetime(2024, 3, 5, 0, tzinfo=UTC), datetime(2024, 3, 5, 1, tzinfo=UTC))
    assert Page.objects.get().time_zone == "Europe/Berlin"
    assert run("csv", str(path), "--time-zone", "Europe/Berlin").row("incidents")["unchanged"] == 1


def test_lines_that_cannot_be_read_are_named_by_their_number(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    bad = "INC-3,Third,,resolved,soon,Body,,,\nINC-1,API outage,,resolved,2024-03-01T12:00:00Z,Again.,,,\n"
    path.write_text(SHEET + bad, encoding="utf-8")
    ran = run("csv", str(path))
    assert ran.code == 3
    assert "line 6: skipped, because its at “soon” is not a time" in ran.output
    assert "line 7: skipped, because its lines are not consecutive" in ran.output
    assert Incident.objects.count() == 2


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"title,body\nA,B\n", "lacks the columns incident, status, at"),
        (b"", "lacks the columns"),
        (b"incident,title\xff\n", "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(raw)
    ran = run("csv", str(path))
    assert ran.code == 1
    assert message in ran.error
