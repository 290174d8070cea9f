"""Our own page, served by our management API and read with a key: what comes out is what went in."""

from __future__ import annotations

from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from incidents.actions.pages import metrics
from incidents.models import AffectedComponent, Incident, Metric, Page, StatusInterval
from statuspage.accounts import tokens
from statuspage.accounts.models import Scope
from statuspage.subscribers.models import Subscriber
from tests.factories import ALICE
from tests.importers.running import run
from tests.importers.statuspages import FakeStatuspage
from tests.importers.test_round_trip import as_statuspage, recorded, serving, uptimes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_home(settings: LazySettings) -> None:
    settings.SITE_URL = "https://status.acme.example"


def managed(page: Page) -> dict[str, bytes]:
    """All that the importer asks the management API for."""
    _, secret = tokens.create(page, name="move", scopes=[Scope.READ, Scope.ADMIN], actor=ALICE)
    base = f"/v1/pages/{page.public_id}"
    lists = [
        f"{name}?per_page=100&page=1" for name in ("components", "component-groups", "incident_templates", "metrics")
    ]
    lists += [f"incidents?limit=100&page={number}" for number in range(1, 10)]
    lists += [f"subscribers?state={state}&limit=100&page=0" for state in ("unconfirmed", "quarantined", "active")]
    lists += ["subscribers/unsubscribed?limit=100&page=0"]
    lists += [f"incidents/{code}/postmortem" for code in page.incidents.values_list("public_id", flat=True)]
    client = Client(headers={"Authorization": f"OAuth {secret}"})
    paths = [base, *(f"{base}/{name}" for name in lists)]
    answers = {path: client.get(path) for path in paths}
    return {path: answer.content for path, answer in answers.items() if answer.status_code == 200}


def people() -> list[tuple[object, ...]]:
    columns = ("public_id", "channel", "email", "endpoint", "state", "whole_page")
    rows = [*Subscriber.objects.order_by("public_id").values_list(*columns)]
    chosen = {
        (subscriber.public_id, str(interest))
        for subscriber in Subscriber.objects.filter(whole_page=False)
        for interest in subscriber.interests.all()
    }
    return [*rows, *sorted(chosen)]


def measured() -> list[dict[str, object]]:
    """Metrics without their points, which the API has no call for."""
    ours = ("id", "page", "provider_id", "created_at", "updated_at")
    rows = Metric.objects.in_order().values()
    providers = [metric.provider.public_id if metric.provider else "" for metric in Metric.objects.in_order()]
    own_columns = [
        {name: value for name, value in row.items() if name not in (*ours, "page_id", "newest_at")} for row in rows
    ]
    return [{**row, "provider": provider} for row, provider in zip(own_columns, providers, strict=True)]


def test_the_demo_page_read_with_a_key_is_the_same_page_again(theirs: FakeStatuspage) -> None:
    call_command("seed_demo", stdout=StringIO())
    page = Page.objects.get()
    provider = metrics.create_provider(page, kind="Self", actor=ALICE)
    about = {"suffix": "ms", "y_axis_max": 250.5, "decimal_places": 2, "description": "At the edge."}
    metrics.create_metric(page, name="Latency", provider=provider, actor=ALICE, **about)
    metrics.create_metric(page, name="Queue", display=False, actor=ALICE)
    series = measured()
    documents, before, figures, readers = managed(page), recorded(), uptimes(), people()
    StatusInterval.objects.all().delete()
    AffectedComponent.objects.all().delete()
    Page.objects.all().delete()
    theirs.responder = serving(documents)

    keyed = ("--api-key", "any", "--page-id", page.public_id, "--api-url", f"{theirs.base}/v1")
    ran = run("statuspage", *keyed)

    assert ran.code == 0, ran
    after = recorded()
    assert after.keys() == before.keys()
    for path in before:
        assert as_statuspage(after[path]) == as_statuspage(before[path]), path
    assert uptimes() == figures
    assert people() == readers
    assert measured() == series
    assert Incident.objects.count() > 50
