"""How much is claimed at a time, and what is looked at again before it is sent."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.models import Incident, Page
from statuspage.notifications.acknowledgements import AckBuffer
from statuspage.notifications.batches import FIRST_BATCH, FRESH_SECONDS, LARGEST_BATCH, SMALLEST_BATCH, batch_size
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports import Transport
from statuspage.notifications.worker import Worker
from statuspage.subscribers.models import Subscriber
from tests.factories import ALICE, make_incident, make_subscriber

pytestmark = pytest.mark.django_db(transaction=True)


class Slow(Transport):
    """Takes its time, and does `then` after the first one it sent."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.sent: list[Delivery] = []
        self._then = then

    def compose(self, delivery: Delivery, notification: Any) -> None:
        return None

    def send(self, composed: None, delivery: Delivery) -> None:
        self.sent.append(delivery)
        if len(self.sent) == 1:
            self._then()
            time.sleep(FRESH_SECONDS + 0.1)


def send_all(transport: Transport) -> None:
    with AckBuffer("me") as acks:
        Worker("email", transport, acks, budget=60, stop=threading.Event()).send_all()


@pytest.fixture
def incident(page: Page) -> Incident:
    """Fanned out to five readers."""
    for _ in range(5):
        make_subscriber(page)
    incident = make_incident(page)
    fan_out_waiting()
    return incident


def test_a_batch_holds_what_a_quarter_of_a_second_can_send() -> None:
    assert batch_size(0, 3.0) == FIRST_BATCH
    assert batch_size(400, 4.0) == 25
    assert batch_size(1, 30.0) == SMALLEST_BATCH
    assert batch_size(100_000, 1.0) == LARGEST_BATCH


def test_an_incident_that_is_hidden_while_its_batch_is_sent_is_told_no_further(incident: Incident) -> None:
    transport = Slow(lambda: incident_actions.hide(incident, actor=ALICE, reason="Wrong page"))
    send_all(transport)
    assert len(transport.sent) == 1
    cancelled = Delivery.objects.filter(state="cancelled")
    (reason,) = set(cancelled.values_list("last_error", flat=True))
    assert reason == "The incident was hidden before this notification was sent."
    assert cancelled.count() == 4


def test_a_reader_who_leaves_while_the_batch_is_sent_is_not_told(incident: Incident) -> None:
    last = Subscriber.objects.order_by("-pk")[0]
    transport = Slow(last.unsubscribe)
    send_all(transport)
    assert last not in [delivery.subscriber for delivery in transport.sent]
    delivery = Delivery.objects.get(subscriber=last)
    assert (delivery.state, delivery.last_error) == ("cancelled", "The subscriber unsubscribed before this was sent.")


def test_rows_that_another_took_meanwhile_are_left_to_them(incident: Incident) -> None:
    others = list(Delivery.objects.order_by("-pk").values_list("pk", flat=True)[:2])
    transport = Slow(lambda: Delivery.objects.filter(pk__in=others).update(lease_token="another"))
    send_all(transport)
    assert len(transport.sent) == 3
    assert set(Delivery.objects.filter(pk__in=others).values_list("state", "lease_token")) == {("queued", "another")}


def test_every_row_is_sent_once_however_many_batches_it_takes(page: Page) -> None:
    for _ in range(150):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    transport = Slow()
    send_all(transport)
    assert len({delivery.pk for delivery in transport.sent}) == len(transport.sent) == 150
    assert set(Delivery.objects.values_list("state", "lease_until")) == {("sent", None)}


def test_a_second_unanswered_attempt_fails_and_pauses_nobody(incident: Incident) -> None:
    from statuspage.notifications.transports import TransportError

    class Mute(Slow):
        def send(self, composed: None, delivery: Delivery) -> None:
            raise TransportError("No answer came.", in_doubt=True)

    send_all(Mute())
    assert set(Delivery.objects.values_list("state", "attempts", "in_doubt")) == {("queued", 1, 1)}
    Delivery.objects.update(next_attempt_at="2020-01-01T00:00:00Z")
    send_all(Mute())
    assert set(Delivery.objects.values_list("state", "attempts", "last_error")) == {
        ("failed", 2, "Sent twice and never answered: it may have arrived. No answer came.")
    }
    assert not Subscriber.objects.exclude(state="active").exists()
