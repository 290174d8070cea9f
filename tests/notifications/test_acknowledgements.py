import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from incidents.models import Page
from statuspage.notifications.acknowledgements import MAX_IN_DOUBT, RENEW_EVERY, AckBuffer
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.notifications.models.deliveries import LEASE
from statuspage.subscribers.models.database_time import from_now
from tests.factories import make_incident, make_subscriber
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def claimed(page: Page) -> list[Delivery]:
    for _ in range(2 * MAX_IN_DOUBT):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    return Delivery.objects.claim("email", token="me", limit=1000)


@contextmanager
def locked_ledger() -> Iterator[None]:
    """While inside, nobody else can write to the ledger."""
    connection.set_autocommit(False)
    Delivery.objects.update(last_error="locked")
    yield
    connection.rollback()
    connection.set_autocommit(True)


def sent() -> int:
    return Delivery.objects.filter(state="sent").count()


def test_leaving_the_marker_leaves_everything_marked(claimed: list[Delivery]) -> None:
    with AckBuffer("me") as marker:
        for delivery in claimed:
            marker.accepted(delivery.pk)
    assert sent() == len(claimed)


def test_what_is_accepted_is_marked_while_the_run_goes_on(claimed: list[Delivery]) -> None:
    with AckBuffer("me") as marker:
        marker.accepted(claimed[0].pk)
        wait_until(lambda: sent() == 1, "the first is marked")


def test_no_more_are_in_doubt_than_the_limit(claimed: list[Delivery]) -> None:
    """However slow the database: here it is locked, so that nothing can be marked."""
    counts: list[int] = []

    def send(marker: AckBuffer) -> None:
        for number, delivery in enumerate(claimed, start=1):
            marker.accepted(delivery.pk)
            counts.append(number)

    with AckBuffer("me") as marker:
        sender = threading.Thread(target=send, args=(marker,))
        with locked_ledger():
            sender.start()
            wait_until(lambda: len(counts) >= MAX_IN_DOUBT - 1, "the limit is reached")
            sender.join(0.3)
            assert len(counts) < MAX_IN_DOUBT
        sender.join()
    assert marker.largest_flush <= MAX_IN_DOUBT
    assert sent() == len(claimed)


def test_leases_of_what_is_in_hand_are_renewed(claimed: list[Delivery]) -> None:
    Delivery.objects.update(lease_until=from_now(LEASE / 2))
    with AckBuffer("me") as marker:
        marker.hold([claimed[0].pk])
        wait_until(
            lambda: Delivery.objects.filter(pk=claimed[0].pk, lease_until__gt=from_now(LEASE * 0.6)).exists(),
            "the lease is renewed",
            seconds=RENEW_EVERY * 3,
        )
    assert not Delivery.objects.filter(pk=claimed[1].pk, lease_until__gt=from_now(LEASE * 0.6)).exists()


def test_a_database_that_stays_away_is_reported(claimed: list[Delivery], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspage.notifications.acknowledgements.GIVE_UP_AFTER", 0.5)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_delivery RENAME TO away")
    try:
        with pytest.raises(Exception, match="notifications_delivery"), AckBuffer("me") as marker:
            marker.accepted(claimed[0].pk)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO notifications_delivery")
