from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, StatusInterval
from tests.factories import ALICE, make_component, make_incident, make_page, post

pytestmark = pytest.mark.django_db

BACK_THEN = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)


def history(component: Component) -> list[tuple[str, bool]]:
    rows = component.intervals.as_corrected().order_by("started_at")
    return [(row.status, row.ended_at is None) for row in rows]


def assert_no_gaps(component: Component) -> None:
    rows = list(component.intervals.as_corrected().order_by("started_at"))
    assert all(a.ended_at == b.started_at for a, b in pairwise(rows))
    assert rows[-1].ended_at is None
    assert rows[-1].status == Component.objects.get(pk=component.pk).status


def test_a_new_component_begins_operational() -> None:
    assert history(make_component(make_page())) == [("operational", True)]


def test_an_incident_and_its_resolution_make_three_intervals() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "partial_outage"})
    actions.resolve(incident, UpdateInput(body="Done."), restore={api: "operational"}, actor=ALICE)
    assert [status for status, _ in history(api)] == ["operational", "partial_outage", "operational"]
    assert_no_gaps(api)


def test_nothing_is_ever_deleted_only_superseded() -> None:
    page = make_page()
    api = make_component(page)
    first = StatusInterval.objects.get()
    make_incident(page, components={api: "major_outage"}, at=timezone.now() - timedelta(minutes=5))
    first.refresh_from_db()
    assert first.superseded_at is not None
    assert_no_gaps(api)


def test_a_backdated_incident_reaches_back_before_the_component_was_made() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "major_outage"}, at=BACK_THEN)
    post(incident, "monitoring", components={api: "degraded_performance"}, at=BACK_THEN + timedelta(minutes=11))
    actions.resolve(
        incident,
        UpdateInput(body="Done.", at=BACK_THEN + timedelta(minutes=48)),
        restore={api: "operational"},
        actor=ALICE,
    )
    rows = list(api.intervals.as_corrected().order_by("started_at").values_list("status", "started_at"))
    assert rows == [
        ("major_outage", BACK_THEN),
        ("degraded_performance", BACK_THEN + timedelta(minutes=11)),
        ("operational", BACK_THEN + timedelta(minutes=48)),
    ]
    assert_no_gaps(api)


def test_backdating_does_not_rewrite_what_was_reported_later() -> None:
    page = make_page()
    api = make_component(page)
    earlier = make_incident(page, components={api: "major_outage"}, at=timezone.now() - timedelta(hours=3))
    actions.resolve(
        earlier,
        UpdateInput(body="Done.", at=timezone.now() - timedelta(hours=2)),
        restore={api: "operational"},
        actor=ALICE,
    )
    make_incident(page, components={api: "partial_outage"}, at=timezone.now() - timedelta(hours=4))
    statuses = [status for status, _ in history(api)]
    assert statuses == ["partial_outage", "major_outage", "operational", "partial_outage"]
    assert_no_gaps(api)


def test_the_present_is_what_the_author_says() -> None:
    page = make_page()
    api = make_component(page, status="operational")
    actions.open_incident(
        page, title="Late", body="Since an hour.", actor=ALICE, components={api: "major_outage"},
        at=timezone.now() - timedelta(hours=1),
    )  # fmt: skip
    assert Component.objects.get().status == "major_outage"


def test_an_update_remembers_what_a_component_had_before() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "partial_outage"})
    second = post(incident, components={api: "major_outage"})
    assert [(a.old_status, a.new_status) for a in second.affected.all()] == [("partial_outage", "major_outage")]


def test_the_same_status_again_adds_no_interval() -> None:
    page = make_page()
    api = make_component(page)
    incident = make_incident(page, components={api: "partial_outage"})
    before = StatusInterval.objects.count()
    post(incident, components={api: "partial_outage"})
    assert StatusInterval.objects.count() == before
