"""Captures in the shape of real ones are replayed, and must come back byte by byte (contract sections 1.2 and 1.3)."""

from typing import Any

import pytest
from pytest_django import Settings

from tests.public.parsed_page import get
from tests.public.replay import as_sent, capture, replay

pytestmark = pytest.mark.django_db

COMPONENTS = capture("summary")["components"]


@pytest.fixture(autouse=True)
def _https(settings: Settings) -> None:
    settings.SITE_URL = "https://candor.example"


def got(path: str) -> str:
    answer = get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def only(body: dict[str, Any], *names: str) -> str:
    return as_sent({name: body[name] for name in names})


@pytest.mark.parametrize("name", ["summary", "summary-zurich"])
def test_a_summary_comes_back_as_it_was(name: str) -> None:
    body = capture(name)
    replay(body, components=body["components"])
    assert got("/api/v2/summary.json") == as_sent(body)


@pytest.mark.parametrize("name", ["summary", "summary-zurich"])
def test_status_and_components_are_parts_of_the_summary(name: str) -> None:
    body = capture(name)
    replay(body, components=body["components"])
    assert got("/api/v2/status.json") == only(body, "page", "status")
    assert got("/api/v2/components.json") == only(body, "page", "components")
    assert got("/api/v2/incidents/unresolved.json") == only(body, "page", "incidents")
    assert got("/api/v2/scheduled-maintenances/active.json") == only(body, "page", "scheduled_maintenances")


def test_incidents_open_resolved_and_with_a_postmortem_come_back_as_they_were() -> None:
    body = capture("incidents")
    replay(body, components=COMPONENTS)
    assert got("/api/v2/incidents.json") == as_sent(body)
    body["incidents"] = [incident for incident in body["incidents"] if incident["resolved_at"]]
    assert got("/api/v2/incidents/resolved.json") == as_sent(body)


def test_maintenances_running_and_past_come_back_as_they_were() -> None:
    body = capture("scheduled-maintenances")
    replay(body, components=COMPONENTS)
    assert got("/api/v2/scheduled-maintenances.json") == as_sent(body)
    assert got("/api/v2/scheduled-maintenances/upcoming.json") == as_sent(body | {"scheduled_maintenances": []})
