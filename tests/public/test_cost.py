"""What a visit costs: queries that do not grow with the history, and few bytes."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, IncidentUpdate, Page, StatusInterval
from incidents.models.states import Status
from tests.factories import ALICE, make_component, make_group, make_incident, make_page, make_resolved, post
from tests.public.parsed_page import Element, get, parse

pytestmark = pytest.mark.django_db

STATIC = Path(settings.BASE_DIR) / "static"
KB = 1024


def queries_of(path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert get(path).status_code == 200
    return len(queries)


def fill_the_past(page: Page, count: int) -> None:
    """`count` incidents with two updates each, an hour apart: some in the last 15 days, most before."""
    now = timezone.now()
    made = Incident.objects.bulk_create(
        Incident(
            page=page,
            title=f"Incident {number}",
            status=Status.RESOLVED,
            started_at=now - timedelta(days=3 * number + 1),
            resolved_at=now - timedelta(days=3 * number + 1),
            last_update_at=now - timedelta(days=3 * number + 1),
        )
        for number in range(count)
    )
    IncidentUpdate.objects.bulk_create(
        IncidentUpdate(incident=i, status=status, body="Text.", body_html="<p>Text.</p>", display_at=i.started_at)
        for i in made
        for status in (Status.INVESTIGATING, Status.RESOLVED)
    )


def fill_the_bars(page: Page) -> None:
    """Each component had four outages and a maintenance in the last 90 days, each on a day of its own."""
    now = timezone.now()
    for number, component in enumerate(page.components.all()):
        rows = []
        at = now - timedelta(days=200)
        for ago in range(80, 5, -15):
            began = now - timedelta(days=ago + number % 7)
            until = began + timedelta(minutes=17)
            status = "under_maintenance" if ago == 50 else "partial_outage" if ago % 2 else "major_outage"
            rows += [("operational", at, began), (status, began, until)]
            at = until
        first = component.intervals.as_corrected().earliest("started_at")
        rows.append(("operational", at, first.started_at))
        StatusInterval.objects.bulk_create(
            StatusInterval(component=component, status=status, started_at=start, ended_at=end)
            for status, start, end in rows
        )


def a_lively_page() -> tuple[Page, Incident]:
    """40 components in 5 groups, an open incident, three past ones, one of them with a postmortem."""
    page = make_page(name="Lanternfish", description="Current and past status of the Lanternfish platform.")
    parts = [
        make_component(page, f"Service number {group * 8 + number}", group=made)
        for group, made in enumerate([make_group(page, f"Group {name}") for name in "ABCDE"])
        for number in range(8)
    ]
    now = timezone.now()
    for ago in (2, 5, 9):
        then = now - timedelta(days=ago)
        past = make_resolved(page, title="Scheduled workflows started late", at=then, until=then + timedelta(hours=1))
    items = [ActionItemDraft(text="Upgrade the client", done=True)]
    postmortem_lifecycle.publish(past, body="What we learned.", actor=ALICE, action_items=items)
    postmortem_lifecycle.publish(past, body="What we have learned.", actor=ALICE)
    broken = {parts[0]: "partial_outage", parts[9]: "degraded_performance"}
    incident = make_incident(page, components=broken, at=now - timedelta(hours=1))
    post(
        incident, body="Our provider cycled the servers of our cluster; we are restarting the API in all regions. " * 2
    )
    incident_lifecycle.edit_update(incident.updates.newest_first()[0], body="We are restarting the API.", actor=ALICE)
    return page, past


def test_home_needs_eight_queries_however_long_the_history() -> None:
    page, _ = a_lively_page()
    fill_the_past(page, 10)
    assert queries_of("/") == 8
    fill_the_past(page, 9_990)
    assert queries_of("/") == 8


def test_an_incident_needs_seven_queries_however_long_the_history() -> None:
    page, past = a_lively_page()
    fill_the_past(page, 10)
    assert queries_of(f"/incidents/{past.public_id}") == 7
    fill_the_past(page, 9_990)
    assert queries_of(f"/incidents/{past.public_id}") == 7


def test_an_incident_with_many_updates_needs_no_more() -> None:
    _, past = a_lively_page()
    before = queries_of(f"/incidents/{past.public_id}")
    incident_lifecycle.reopen(past, UpdateInput(body="It is back."), actor=ALICE)
    for _ in range(10):
        update = post(past, status="identified")
        incident_lifecycle.edit_update(update, body="We know better.", actor=ALICE)
    assert queries_of(f"/incidents/{past.public_id}") == before


@pytest.mark.parametrize(("path", "expected"), [("/history", 5), ("/history.atom", 4), ("/history.rss", 4)])
def test_lists_need_few_queries_however_long_the_history(path: str, expected: int) -> None:
    page, _ = a_lively_page()
    assert queries_of(path) <= expected
    fill_the_past(page, 1_000)
    assert queries_of(path) <= expected


def test_home_is_light(capsys: pytest.CaptureFixture[str]) -> None:
    page, _ = a_lively_page()
    fill_the_bars(page)
    html = get("/").content
    sheets = [Path(str(find(link.attributes["href"].removeprefix("/static/")))) for link in stylesheets(html)]
    styles = sum(len(gzip.compress(sheet.read_bytes(), 9)) for sheet in sheets)
    packed = len(gzip.compress(html, 9))
    script = len((STATIC / "js/live.js").read_bytes())
    with capsys.disabled():
        print(f"\n/ with 40 components: {len(html)} bytes, {packed} gzipped; CSS {styles} gzipped; script {script} raw")  # noqa: T201 - figures for the record
    assert len(html) <= 40 * KB
    assert packed <= 8 * KB
    assert styles <= 6 * KB
    assert html.count(b"<script") == len(sheets) == 1  # with the page itself, what a first visit asks for
    assert html.count(b"<path") >= 40 * 4


def stylesheets(html: bytes) -> list[Element]:
    return parse(html.decode()).all("link", rel="stylesheet")
