"""Two who act at the same moment wait for each other in a row, never in a circle."""

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from incidents.actions.components import component_lifecycle, positions
from incidents.actions.incidents import follow_ups, impact_start
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, ComponentGroup, Incident, Page, Postmortem
from incidents.models.findings import Findings
from tests.factories import ALICE, BOB, make_component, make_group, make_page, make_resolved

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 25
Deed = Callable[[int], Any]


def at_once(*deeds: Deed) -> list[Exception]:
    """Each so many times, side by side: what went wrong."""
    start, wrong = threading.Barrier(len(deeds)), list[Exception]()

    def work(deed: Deed) -> None:
        start.wait()
        try:
            for number in range(ROUNDS):
                deed(number)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_who_writes_a_postmortem_and_who_posts_to_its_incident() -> None:
    page, ago = make_page(), timezone.now() - timedelta(hours=2)
    incident = make_resolved(page, at=ago, until=ago + timedelta(hours=1))
    postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)

    def now() -> Incident:
        return Incident.objects.select_related("page").get(pk=incident.pk)

    def revise(number: int) -> None:
        items, began = [ActionItemDraft(f"Item {number}")], incident.started_at - timedelta(minutes=number)
        findings = Findings(impact_started_at=began)
        postmortem_lifecycle.publish(now(), body=f"Why, {number}.", action_items=items, findings=findings, actor=ALICE)

    def retract(_number: int) -> None:
        postmortem = Postmortem.objects.select_related("incident__page").get()
        if postmortem.is_published:
            postmortem_lifecycle.retract(postmortem, actor=BOB)

    def tell(number: int) -> None:
        follow_ups.follow_up(now(), UpdateInput(body=f"Done, {number}."), actor=BOB)

    def begin(number: int) -> None:
        impact_start.set_impact_start(now(), incident.started_at - timedelta(hours=number), actor=BOB)

    assert at_once(revise, retract, tell, begin) == []
    assert now().updates.count() == 2 + ROUNDS


def make_components(page: Page) -> list[Component]:
    """In page order the last made stands first, and so do their rows in the table."""
    components = [make_component(page, f"Server {number}") for number in range(12)]
    positions.reorder(page, list(reversed(components)), actor=ALICE)
    return components


def test_who_orders_components_and_who_sets_them() -> None:
    page = make_page()
    components = make_components(page)

    def up(_number: int) -> None:
        positions.reorder(page, list(Component.objects.order_by("-pk")), actor=ALICE)

    def down(_number: int) -> None:
        positions.reorder(page, list(Component.objects.order_by("pk")), actor=ALICE)

    def status(number: int) -> None:
        component_lifecycle.set_statuses(page, components, ["operational", "major_outage"][number % 2], actor=BOB)

    assert at_once(up, down, status) == []


def test_who_places_a_component_and_who_deletes_a_group() -> None:
    page = make_page()
    components = make_components(page)
    names = count()

    def place(number: int) -> None:
        positions.move(page, components[number % 12], before=components[(number + 5) % 12], actor=ALICE)

    def delete(_number: int) -> None:
        group: ComponentGroup = make_group(page, f"Group {next(names)}")
        component_lifecycle.delete_group(group, actor=BOB)

    assert at_once(place, delete, place, delete) == []
