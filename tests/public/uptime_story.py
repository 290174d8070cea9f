"""A page with a past worth computing, in a zone whose clocks change meanwhile, and a moment that stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import time_machine

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import corrections, incident_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Page
from tests.factories import ALICE, make_component, make_group, make_incident, make_page

NOW = datetime(2024, 11, 20, 15, 30, tzinfo=UTC)


@contextmanager
def moment(*, days: float = 0) -> Iterator[None]:
    """So many days before NOW."""
    with time_machine.travel(NOW - timedelta(days=days), tick=False):
        yield


def outage(component: Component, status: str, *, days: float, minutes: float, title: str = "It broke") -> None:
    """Written as it happened: `days` before NOW, for so many minutes."""
    with moment(days=days):
        incident = make_incident(component.page, title=title, components={component: status})
    with moment(days=days - minutes / 1440):
        incident_lifecycle.resolve(incident, UpdateInput(body="Done."), restore={component: "operational"}, actor=ALICE)


def a_page_with_a_past() -> Page:
    """A group of three, one of them young, and a loose one that is down right now."""
    with moment(days=500):
        page = make_page(name="Acme", time_zone="Europe/Berlin")
        group = make_group(page, "Public APIs")
        rest, labels = (make_component(page, name, group=group) for name in ("REST API", "Labels API"))
        website = make_component(page, "Website")
    outage(rest, "major_outage", days=300.3, minutes=1234.5, title="A long one")
    outage(rest, "partial_outage", days=40.7, minutes=95, title="Half of it")
    outage(rest, "major_outage", days=24.71, minutes=200, title="In the night that had 25 hours")
    outage(labels, "under_maintenance", days=70, minutes=600, title="Moving house")
    outage(labels, "degraded_performance", days=12, minutes=7, title="Slow labels")
    with moment(days=15):
        make_component(page, "Young API", group=group, start_date=date(2024, 11, 5))
        component_lifecycle.set_status(website, "degraded_performance", actor=ALICE)
    with moment(days=0.2):
        make_incident(page, title="The website is down", components={website: "major_outage"})
    with moment(days=5):
        corrections.correct_history(
            labels, "partial_outage", actor=ALICE, reason="It was worse",
            start=NOW - timedelta(days=12), end=NOW - timedelta(days=11.99),
        )  # fmt: skip
    return page
