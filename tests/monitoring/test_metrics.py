"""What Prometheus reads, parsed by the official parser."""

import json
import os
import re
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from incidents.actions.components import component_lifecycle
from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.notifications import write_probe
from statuspage.notifications.models import ChannelState, Delivery, Heartbeat
from statuspage.notifications.models.heartbeats import PROBE
from statuspage.publishing.models import Publication
from statuspage.subscribers.models.database_time import from_now
from tests.conventions.code import ROOT
from tests.factories import make_component, make_group, make_incident, make_page, make_resolved, make_subscriber

pytestmark = pytest.mark.django_db

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(**headers: str) -> Any:
    response = Client().get("/metrics", headers={"host": "127.0.0.1:8000", **headers})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response


def samples() -> Samples:
    parse: Any = text_string_to_metric_families
    families = parse(scrape().content.decode())
    return {(row.name, frozenset(row.labels.items())): row.value for family in families for row in family.samples}


def value(name: str, **labels: str) -> float:
    return samples()[f"candor_{name}", frozenset(labels.items())]


def names(result: Samples) -> set[str]:
    return {name.removeprefix("candor_") for name, _ in result}


def email(page: Page, *, due: timedelta, **fields: Any) -> Delivery:
    return Delivery.objects.create(
        kind="confirmation",
        subscriber=make_subscriber(page),
        channel="email",
        priority=1,
        next_attempt_at=from_now(due),
        **fields,
    )


def test_components_and_their_statuses(page: Page) -> None:
    group = make_group(page, 'API "v2" \\')
    broken = make_component(page, "Login", group=group, status="major_outage")
    hidden = make_component(page, "Batch", only_show_if_degraded=True)
    component_lifecycle.set_archived(make_component(page, "Old"), archived=True, actor=SYSTEM)
    result = samples()
    page_label = ("page", "acme")
    assert result["candor_components", frozenset({page_label, ("status", "major_outage")})] == 1
    assert result["candor_components", frozenset({page_label, ("status", "operational")})] == 1
    assert result["candor_components", frozenset({page_label, ("status", "partial_outage")})] == 0
    states = {labels for name, labels in result if name == "candor_component_status"}
    assert {dict(labels)["component"]: dict(labels)["status"] for labels in states} == {
        broken.public_id: "major_outage",
        hidden.public_id: "operational",
    }
    assert {dict(labels)["name"] for labels in states} == {'API "v2" \\ - Login', "Batch"}


def test_open_incidents_by_impact(page: Page) -> None:
    make_resolved(page)
    make_incident(page, impact="critical")
    other = make_page(name="Other")
    assert value("open_incidents", page="acme", impact="critical") == 1
    assert value("open_incidents", page="acme", impact="minor") == 0
    assert value("open_incidents", page=other.public_id, impact="critical") == 0
    assert value("running_maintenances", page="acme") == 0


def test_deliveries_that_wait_by_channel(page: Page) -> None:
    email(page, due=timedelta(minutes=-10))
    email(page, due=timedelta(minutes=-1))
    email(page, due=timedelta(hours=1))
    email(page, due=timedelta(hours=-2), state="sent")
    ChannelState.objects.pause("slack", "invalid_auth")
    assert value("deliveries_waiting", channel="email") == 2
    assert 600 <= value("deliveries_oldest_seconds", channel="email") < 630
    assert value("deliveries_waiting", channel="webhook") == value("deliveries_oldest_seconds", channel="webhook") == 0
    assert value("channel_failing", channel="slack") == 1
    assert value("channel_failing", channel="email") == 0


def test_how_old_what_is_published_is(page: Page) -> None:
    Publication.objects.succeeded(page, files=1)
    Publication.objects.update(published_at=from_now(-timedelta(minutes=4)), machine="web1")
    Publication.objects.failed(page, "403 Forbidden", target="s3://bucket")
    Publication.objects.filter(target="s3://bucket").update(machine="web1")
    folder = {"page": "acme", "machine": "web1", "target": "folder"}
    assert 240 <= value("publication_age_seconds", **folder) < 270
    assert value("publication_failing", **folder) == 0
    assert value("publication_failing", **folder | {"target": "s3://bucket"}) == 1


def test_heartbeats_by_kind_of_process_and_clocks() -> None:
    for number, (seconds, offset) in enumerate([(200, 30.0), (20, -7.0), (60, 1.0)]):
        at = from_now(-timedelta(seconds=seconds))
        Heartbeat.objects.create(process="worker", instance=f"host:{number}", at=at, clock_offset=offset)
    Heartbeat.objects.beat(PROBE, instance=PROBE)
    assert 20 <= value("heartbeat_age_seconds", process="worker") < 50
    assert value("clock_offset_seconds", process="worker", machine="host") == -7
    assert {dict(labels)["process"] for name, labels in samples() if name == "candor_heartbeat_age_seconds"} == {
        "worker"
    }


def test_the_notices_of_the_console(page: Page) -> None:
    assert value("system_notices", code="dispatcher") == 1
    Heartbeat.objects.beat("dispatcher")
    assert value("system_notices", code="dispatcher") == 0
    assert value("system_notices", code="redis") == 0


def test_requests_of_the_front_doors_that_run(settings: Settings, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path
    counts = {"started": 1_700_000_000.0, "published": 70, "forwarded": 20, "refused": 3, "errors": 1}
    for pid in (41, 42):
        (tmp_path / f"requests-{pid}.json").write_text(json.dumps(counts))
    stopped = time.time() - 120
    os.utime(tmp_path / "requests-42.json", (stopped, stopped))
    (tmp_path / "requests-43.json").write_text("{")
    result = samples()
    assert {
        dict(labels)["result"]: number
        for (name, labels), number in result.items()
        if name == "candor_frontdoor_requests_total"
    } == {"published": 70, "forwarded": 20, "refused": 3, "error": 1}
    assert result["candor_frontdoor_start_time_seconds", frozenset({("pid", "41")})] == 1_700_000_000


def test_the_running_version() -> None:
    ((_, labels),) = [key for key in samples() if key[0] == "candor_build_info"]
    assert dict(labels).keys() == {"version", "python", "django", "database"}
    assert dict(labels)["database"] == connection.vendor


def test_prometheus_gets_the_format_that_it_requests() -> None:
    response = scrape(accept="application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3")
    assert response["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    parse: Any = openmetrics.text_string_to_metric_families
    assert list(parse(response.content.decode()))
    assert scrape()["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("pages", [1, 4])
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    pages: int,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    monkeypatch.setattr(write_probe, "CACHED_SECONDS", 600.0)
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    for _ in range(pages):
        page = make_page()
        for _ in range(pages):
            make_component(page, group=make_group(page))
            make_incident(page)
            email(page, due=-timedelta(minutes=5))
        Publication.objects.succeeded(page, files=1)
    scrape()  # the write probe writes once
    with django_assert_num_queries(17):
        scrape()


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_answers_with_what_it_knows(settings: Settings, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path
    (tmp_path / "requests-41.json").write_text('{"published": 7}')
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_heartbeat RENAME TO away")
    try:
        result = samples()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO notifications_heartbeat")
    assert result["candor_database_up", frozenset()] == 0
    assert result["candor_database_writable", frozenset()] == 0
    assert result["candor_frontdoor_requests_total", frozenset({("pid", "41"), ("result", "published")})] == 7
    assert names(result) >= {"build_info", "frontdoor_requests_total", "deliveries_waiting"}
    assert "heartbeat_age_seconds" not in names(result)


def test_with_a_database_it_says_so() -> None:
    assert value("database_up") == value("database_writable") == 1


def test_the_documentation_lists_every_metric(page: Page, settings: Settings, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path
    (tmp_path / "requests-41.json").write_text("{}")
    make_component(page)
    Publication.objects.succeeded(page, files=1)
    Heartbeat.objects.beat("dispatcher")
    table = re.findall(r"^\| `candor_(\w+)` \|(.*?)\|", (ROOT / "docs/monitoring.md").read_text(), re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in table}
    emitted = {name.removeprefix("candor_"): {label for label, _ in labels} for name, labels in samples()}
    assert documented == emitted
