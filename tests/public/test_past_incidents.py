"""The remembered HTML of past incidents changes with everything that it shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from time_machine import travel

from incidents.models import Incident, IncidentUpdate, Page, Postmortem
from statuspage.public import past_incidents
from tests.factories import make_page, make_resolved
from tests.public.parsed_page import get

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
EARLIER = NOON - timedelta(hours=5)
LISTS = ("/", "/history")
# A change of a row, and the lists that show it.
CHANGES: list[tuple[type[Incident | IncidentUpdate | Page | Postmortem], dict[str, Any], tuple[str, ...]]] = [
    (Incident, {"title": "Slow answers"}, LISTS),
    (Incident, {"public_id": "other1"}, LISTS),
    (Incident, {"impact": "critical"}, LISTS),
    (Incident, {"started_at": EARLIER}, LISTS),
    (Incident, {"resolved_at": NOON - timedelta(minutes=7)}, LISTS),
    (IncidentUpdate, {"body_html": "<p>Another text.</p>"}, LISTS),
    (IncidentUpdate, {"display_at": EARLIER}, ("/",)),
    (IncidentUpdate, {"edited_at": NOON}, ("/",)),
    (IncidentUpdate, {"repeats_status": True}, ("/",)),
    (Postmortem, {"published_at": EARLIER}, ("/",)),
    (Page, {"time_zone": "Asia/Kathmandu"}, LISTS),
    (
        Incident,
        {"kind": "maintenance", "status": "completed", "scheduled_for": EARLIER, "scheduled_until": NOON},
        LISTS,
    ),
    (Incident, {"scheduled_until": NOON + timedelta(hours=3)}, LISTS),
    (Incident, {"cancelled_at": NOON}, LISTS),
]


def shown(path: str) -> bytes:
    return get(path).content


@pytest.mark.django_db
def test_a_list_shows_every_change_of_its_incidents_at_once() -> None:
    with travel(NOON, tick=False):
        page = make_page()
        incident = make_resolved(page, at=NOON - timedelta(hours=2), until=NOON - timedelta(hours=1))
        Postmortem.objects.create(incident=incident, body="Why.", body_html="<p>Why.</p>", published_at=NOON)
        for model, fields, paths in CHANGES:
            before = {path: shown(path) for path in paths}
            assert model._default_manager.update(**fields) >= 1
            after = {path: shown(path) for path in paths}
            past_incidents.remembered_html.cache_clear()
            for path in paths:
                assert after[path] != before[path], (fields, path)
                assert after[path] == shown(path), (fields, path)


@pytest.mark.django_db
def test_an_incident_that_did_not_change_is_rendered_once() -> None:
    page = make_page()
    make_resolved(page)
    first = shown("/")
    misses = past_incidents.remembered_html.cache_info().misses
    assert shown("/") == first
    assert past_incidents.remembered_html.cache_info().misses == misses
