"""Our own page, served as Statuspage and read as a Statuspage: what comes out is what went in."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from incidents.models import AffectedComponent, Incident, Page, StatusInterval
from incidents.reporting import uptime
from tests.importers.running import run_public
from tests.importers.statuspages import FakeStatuspage
from tests.receivers import ReceivedRequest, Reply

pytestmark = pytest.mark.django_db

LISTS = (
    "/api/v2/summary.json",
    "/api/v2/status.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/incidents/unresolved.json",
    "/api/v2/scheduled-maintenances.json",
    "/api/v2/scheduled-maintenances/upcoming.json",
    "/api/v2/scheduled-maintenances/active.json",
)
# What is ours alone; and what the lists of the newest do not say (of maintenances, what happens by itself).
NOT_FOR_VISITORS = ("candor", "auto_transition_", "scheduled_auto_", "scheduled_remind", "impact_override")


@pytest.fixture(autouse=True)
def _at_home(settings: LazySettings) -> None:
    settings.SITE_URL = "https://status.acme.example"


def recorded() -> dict[str, bytes]:
    """What the page's public documents say, by their paths."""
    paths = [*LISTS, *(f"/incidents/{code}.json" for code in Incident.objects.values_list("public_id", flat=True))]
    paths += [f"/history.json?page={number}" for number in range(1, 12)]
    client = Client()
    answers = {path: client.get(path) for path in paths}
    return {path: answer.content for path, answer in answers.items() if answer.status_code == 200}


def serving(documents: dict[str, bytes]) -> Callable[[ReceivedRequest], Reply]:
    def serve(received: ReceivedRequest) -> Reply:
        document = documents.get(received.path)
        return Reply(404, b"{}") if document is None else Reply(body=document)

    return serve


def uptimes() -> dict[str, str]:
    """Of every component that is shown, over a year."""
    page, now = Page.objects.get(), timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    weights = uptime.Weights.for_page(page)
    percentages = {}
    for component in page.components.all():
        rows = StatusInterval.objects.as_corrected().filter(component=component).spans()
        history = uptime.by_component(rows).get(component.pk, [])
        start = now.replace(year=now.year - 1)
        percentages[component.public_id] = str(uptime.totals(history, start, now, until=now).percentage(weights))
    return percentages


def as_statuspage(document: bytes) -> Any:
    """Without what a visitor's reading leaves, and without the moment of the page's last change: that was its move."""
    raw = json.loads(document)
    for key in [key for key in raw if key.startswith(NOT_FOR_VISITORS)]:
        del raw[key]
    for page in (raw.get("page", {}), raw.get("page_status", {}).get("page", {})):
        page.pop("updated_at", None)
    return raw


def test_the_demo_page_read_by_a_visitor_is_the_same_page_again(theirs: FakeStatuspage) -> None:
    call_command("seed_demo", stdout=StringIO())
    before, figures = recorded(), uptimes()
    StatusInterval.objects.all().delete()
    AffectedComponent.objects.all().delete()
    Page.objects.all().delete()
    theirs.responder = serving(before)

    ran = run_public(theirs)

    assert ran.code == 0, ran
    after = recorded()
    assert after.keys() == before.keys()
    for path in before:
        assert as_statuspage(after[path]) == as_statuspage(before[path]), path
    # A visitor hears nothing of components that are hidden while they are well.
    assert {code: figures[code] for code in uptimes()} == uptimes()
    assert len(uptimes()) > 5
