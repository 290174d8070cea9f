"""A file that somebody else has written: whatever its columns hold, no page, no clock and no import breaks of it."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from incidents.models import AffectedComponent, Component, Incident, Page, Postmortem, StatusInterval
from statuspage.notifications.models import StaffNotice
from statuspage.notifications.staff.notices import queue_staff_notices
from tests.factories import make_component, make_incident, make_page, make_resolved, make_user
from tests.importers.running import Ran, run

pytestmark = pytest.mark.django_db

AT = "2026-01-01T12:00:00+00:00"
FIRST, LAST = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
ENDS = {"began": "0001-01-01T00:00:00+00:00", "ended": "9999-12-31T23:59:59+00:00"}
HUGE = 10**30

FINDINGS: list[Any] = [
    {"timeline": 7, "seconds": [1], "factors": "x", "detected_at": 7},
    {"timeline": [{"at": FIRST, "text": "a"}, {"at": LAST, "text": "b", "is_public": True}, 7, {"at": AT}]},
    {"detected_at": FIRST, "impact_ended_at": LAST},
    {"seconds": {"API": HUGE}},
]  # fmt: skip
ACCOUNTS: list[Any] = [
    {"lines": 7, "moments": [1], "harms": "x", "factors": {}},
    {"lines": [{"at": FIRST, "text": "a", "is_public": True}, {"at": LAST, "text": "b", "is_public": True}]},
    {"moments": {"began": FIRST, "ended": LAST}},
    {"moments": ENDS, "harms": [{"name": "API"}]},
    {"moments": {"began": AT, "ended": LAST}, "harms": [{"name": "API"}]},
    {"moments": {"began": AT, "ended": "2026-01-02T12:00:00+00:00"}, "harms": [{"name": "API", "stated": HUGE}]},
    {"harms": [{"code": [], "name": "API", "stated": -5, "spans": [["major_outage", FIRST, LAST], [[], AT, AT]]}]},
]  # fmt: skip


def brought(path: Path, kind: str, change: Callable[[Any], None]) -> Ran:
    """The only page goes out, `change` is made to its objects of that kind, and it comes back."""
    call_command("export_page", Page.objects.get().public_id, str(path), stdout=StringIO())
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for raw in lines:
        if raw["type"] == kind:
            change(raw)
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    for model in (StatusInterval, AffectedComponent, Page):
        model._default_manager.all().delete()
    return run("candor", str(path))


def resolved_incident(page: Page) -> Incident:
    """A resolved incident with a public postmortem."""
    incident = make_resolved(page, components={make_component(page, "API"): "major_outage"})
    Postmortem.objects.create(incident=incident, body="Why", draft="Why", published_at=timezone.now())
    return incident


def statuses(incident: Incident) -> set[int]:
    """What every page answers on which it shows."""
    visitor, editor = Client(), Client()
    editor.force_login(make_user("editor"))
    console = f"/console/p/acme/incidents/{incident.public_id}"
    public = ("/", f"/incidents/{incident.public_id}", f"/incidents/{incident.public_id}.json", "/history.atom")
    desk = [f"{console}/postmortem{more}" for more in ("", "/review", "/export.md", "/export.json")]
    answers = [visitor.get(path) for path in public] + [
        editor.get(path) for path in ("/console/p/acme/", console, *desk)
    ]
    return {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    ("column", "value"),
    [*(("findings", findings) for findings in FINDINGS), *(("account", account) for account in ACCOUNTS)],
)
@pytest.mark.parametrize("is_public", [True, False])
def test_findings_and_accounts_that_make_no_sense_are_read_as_far_as_they_go(
    tmp_path: Path, column: str, value: Any, *, is_public: bool
) -> None:
    incident = resolved_incident(make_page(time_zone="America/New_York"))
    code = Component.objects.get().public_id
    whole = json.loads(json.dumps(value).replace('{"API":', f'{{"{code}":'))

    def change(raw: Any) -> None:
        raw["postmortem"] |= {column: whole} | ({} if is_public else {"published_at": None})

    assert brought(tmp_path / "page.jsonl", "incident", change).code == 0
    assert statuses(incident) == {200}


@pytest.mark.parametrize("value", [[1], "text", 7, None])
@pytest.mark.parametrize("column", ["findings", "account"])
def test_a_column_of_another_kind_is_refused_with_its_incident(tmp_path: Path, column: str, value: Any) -> None:
    resolved_incident(make_page())
    ran = brought(tmp_path / "page.jsonl", "incident", lambda raw: raw["postmortem"].update({column: value}))
    assert (ran.code, Incident.objects.count()) == (3, 0)
    assert f"its {column} {'is null' if value is None else 'has the wrong type'}" in ran.output


@pytest.mark.parametrize(
    "change",
    [
        {"title": "a\0b"},
        {"metadata": {"a": "\0"}},
        {"metadata": {"a": float("nan")}},
        {"version": HUGE},
        {"version": "x"},
    ],
)
def test_what_no_database_holds_costs_its_own_line_alone(tmp_path: Path, change: dict[str, Any]) -> None:
    page = make_page()
    resolved_incident(page)
    ran = brought(tmp_path / "page.jsonl", "incident", lambda raw: raw.update(change))
    assert Page.objects.get().components.count() == 1
    assert ran.code in (0, 3)


@pytest.mark.parametrize(
    "change",
    [
        {"time_zone": "Nowhere"},
        {"staff_reminders": [1]},
        {"undo_seconds": HUGE},
        {"accent": "}"},
        {"accent_dark": "2846a8"},
        {"support_url": "javascript:alert(1)"},
    ],
)
def test_a_page_that_could_not_be_shown_is_not_brought(tmp_path: Path, change: dict[str, Any]) -> None:
    make_page()
    ran = brought(tmp_path / "page.jsonl", "page", lambda raw: raw.update(change))
    assert (ran.code, Page.objects.count()) == (1, 0)
    assert "cannot be read" in ran.error


@pytest.mark.parametrize(
    "change",
    [
        {"impact": ""},
        {"started_at": FIRST},
        {"impact_started_at": ENDS["began"]},
        {"resolved_at": LAST},
        {"updates": []},
    ],
)
def test_an_incident_that_could_not_be_shown_is_left_out(tmp_path: Path, change: dict[str, Any]) -> None:
    resolved_incident(make_page(time_zone="America/New_York"))
    ran = brought(tmp_path / "page.jsonl", "incident", lambda raw: raw.update(change))
    assert (ran.code, Incident.objects.count()) == (3, 0)


def test_an_action_item_leads_to_the_web_alone(tmp_path: Path) -> None:
    resolved_incident(make_page())
    item = {"text": "Look", "owner": "", "due_on": None, "done_at": None, "position": 1, "created_at": AT}

    def change(raw: Any) -> None:
        raw["postmortem"]["action_items"] = [item | {"url": "javascript:alert(1)"}]

    assert "Enter a valid URL" in brought(tmp_path / "page.jsonl", "incident", change).output
    assert not Incident.objects.exists()


def test_a_silence_of_many_years_holds_up_no_reminder(tmp_path: Path) -> None:
    make_incident(make_page())

    def change(raw: Any) -> None:
        raw["reminder_intervals"] = "1"
        for update in raw["updates"]:
            update["created_at"] = "1990-01-01T00:00:00Z"

    assert brought(tmp_path / "page.jsonl", "incident", change).code == 0
    queue_staff_notices(timezone.now())
    assert StaffNotice.objects.get().number < 2**15
