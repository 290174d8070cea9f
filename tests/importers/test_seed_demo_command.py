from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from incidents.models import Component, ComponentGroup, Event, Incident, IncidentUpdate, Page, StatusInterval
from statuspage.subscribers.models import Subscriber
from tests.factories import make_component, make_group, make_incident, make_page

pytestmark = pytest.mark.django_db

NOW = "2026-03-01T09:30:00Z"


def seed_demo(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command("seed_demo", *args, stdout=out, **options)
    return out.getvalue()


def everything() -> list[list[tuple[Any, ...]]]:
    """All that a visitor or a program could tell apart, without the database's own keys."""
    return [
        list(Page.objects.values_list("public_id", "name", "created_at", "updated_at")),
        list(ComponentGroup.objects.order_by("pk").values_list("public_id", "name", "position")),
        list(Component.objects.order_by("pk").values_list("public_id", "name", "status", "updated_at")),
        list(Incident.objects.order_by("pk").values_list("public_id", "title", "impact", "started_at", "resolved_at")),
        list(
            Incident.objects.order_by("pk").values_list("scheduled_for", "scheduled_until", "began_at", "occurrence_on")
        ),
        list(IncidentUpdate.objects.order_by("pk").values_list("public_id", "body", "display_at", "edited_at")),
        list(StatusInterval.objects.order_by("pk").values_list("status", "started_at", "ended_at", "recorded_at")),
        list(Event.objects.order_by("pk").values_list("kind", "created_at")),
        list(Subscriber.objects.order_by("pk").values_list("email", "state", "created_at", "confirmed_at")),
    ]


def seeded(*args: str) -> list[list[tuple[Any, ...]]]:
    """What an empty database holds after seeding; it is empty again afterwards."""
    with transaction.atomic():
        seed_demo(*args)
        content = everything()
        transaction.set_rollback(True)
    return content


def test_the_same_seed_and_present_give_the_same_page_down_to_the_ids() -> None:
    first, again = (seeded("--seed", "5", "--now", NOW) for _ in range(2))
    assert first == again
    other = seeded("--seed", "6", "--now", NOW)
    assert {row[0] for row in first[3]}.isdisjoint(row[0] for row in other[3])
    assert [row[1] for row in sorted(first[3])] != [row[1] for row in sorted(other[3])]


def test_an_empty_page_of_ones_own_is_filled_and_keeps_its_name() -> None:
    first, mine = make_page(name="First"), make_page(name="Acme", description="Ours.")
    statements = 0

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*args)

    with connection.execute_wrapper(count):
        output = seed_demo("--page", mine.public_id)

    mine.refresh_from_db()
    assert (mine.name, mine.description) == ("Acme", "Ours.")
    assert mine.support_url
    assert not first.components.exists()
    updates = IncidentUpdate.objects.filter(incident__page=mine, incident__kind="incident").count()
    incidents, maintenances = (mine.incidents.filter(kind=kind).count() for kind in ("incident", "maintenance"))
    assert output == (
        f"Demo page “Acme” ({mine.public_id}): {mine.components.count()} components, {incidents} incidents with"
        f" {updates} updates, {maintenances} maintenances, 2 postmortems, {mine.subscribers.count()} subscribers.\n"
    )
    # It is part of the first start, so it has to stay quick.
    assert statements < 25 * updates


@pytest.mark.parametrize(
    "fill",
    [
        make_component,
        make_group,
        make_incident,
        lambda page: Subscriber.objects.create(page=page, email="someone@example.com"),
    ],
)
def test_a_page_that_is_not_empty_is_refused_and_left_alone(fill: Callable[[Page], object]) -> None:
    page = make_page(name="Acme")
    fill(page)
    before = everything()
    with pytest.raises(CommandError, match="“Acme” is not empty"):
        seed_demo()
    assert everything() == before


def test_a_wrong_code_is_answered_with_the_codes_there_are() -> None:
    page = make_page(name="Acme")
    with pytest.raises(CommandError, match=rf"No page has the ID “nope”. Existing pages: {page.public_id} \(Acme\)"):
        seed_demo("--page", "nope")


@pytest.mark.parametrize(
    ("now", "complaint"),
    [
        ("yesterday", "is not a valid time"),
        ("2026-03-01T09:00:00", "has no time zone"),
        ("2999-01-01T00:00:00Z", "is in the future"),
    ],
)
def test_a_present_that_makes_no_sense_is_refused(now: str, complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        seed_demo("--now", now)
    assert not Page.objects.exists()


def test_it_names_each_incident_when_asked_to_be_talkative() -> None:
    lines = seed_demo(verbosity=2).splitlines()
    assert len(lines) == Incident.objects.incidents().count() + 1
    assert lines[-2].endswith("Webhooks and tracking e-mails are delayed")
