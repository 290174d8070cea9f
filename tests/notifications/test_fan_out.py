import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Event, Page
from statuspage.notifications.fan_out import fan_out, fan_out_round, fan_out_waiting
from statuspage.notifications.models import Delivery, Priority
from statuspage.subscribers.models import EmailRequest, Subscriber, SubscriberState
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved, make_subscriber, post


def test_every_confirmed_subscriber_of_the_page_gets_one_delivery(page: Page) -> None:
    ada, bob = make_subscriber(page), make_subscriber(page)
    make_subscriber(make_page(name="Other", domain="other.example"))
    incident = make_incident(page)
    assert fan_out_waiting() >= 1
    assert {(d.subscriber, d.incident, d.state) for d in Delivery.objects.all()} == {
        (ada, incident, "queued"),
        (bob, incident, "queued"),
    }


@pytest.mark.parametrize("state", [SubscriberState.PENDING, SubscriberState.PAUSED, SubscriberState.UNSUBSCRIBED])
def test_whoever_is_not_active_gets_none(page: Page, state: SubscriberState) -> None:
    make_subscriber(page, state=state)
    make_incident(page)
    fan_out_waiting()
    assert not Delivery.objects.exists()


def test_who_confirmed_after_the_event_is_not_told_of_it(page: Page) -> None:
    make_incident(page)
    make_subscriber(page, confirmed_at=timezone.now() + timedelta(seconds=1))
    fan_out_waiting()
    assert not Delivery.objects.exists()


def test_an_event_that_asks_for_silence_is_stamped_without_deliveries(page: Page) -> None:
    make_subscriber(page)
    make_incident(page, notify=False)
    fan_out_waiting()
    assert not Delivery.objects.exists()
    assert not Event.objects.waiting_for_fan_out().exists()


def test_kinds_that_no_mail_tells_of_are_stamped_without_deliveries(page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page, notify=False)
    incident_actions.edit_update(incident.updates.get(), body="Better words.", actor=ALICE)
    make_component(page, status="major_outage")
    Event.objects.update(notify=True)
    Event.objects.filter(kind="incident.opened").delete()
    fan_out_waiting()
    assert not Delivery.objects.exists()
    assert not Event.objects.waiting_for_fan_out().exists()


def test_fanning_out_twice_makes_no_second_row(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    event = Delivery.objects.get().event
    assert event is not None
    Event.objects.filter(pk=event.pk).update(fanned_out_at=None)
    assert fan_out(event.pk) == 0
    assert Delivery.objects.count() == 1


def test_the_first_word_goes_before_updates_and_those_before_postmortems(page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    post(incident)
    incident_actions.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(incident, body="What happened.", actor=ALICE)
    fan_out_waiting()
    assert list(Delivery.objects.order_by("event_id").values_list("priority", flat=True)) == [
        Priority.URGENT,
        Priority.NORMAL,
        Priority.NORMAL,
        Priority.LOW,
    ]


def test_the_audience_is_who_will_be_told(page: Page) -> None:
    make_subscriber(page)
    make_subscriber(page, state=SubscriberState.PENDING, confirmed_at=None)
    assert Subscriber.objects.audience(page).count() == 1
    make_resolved(page)
    fan_out_waiting()
    assert Delivery.objects.values("subscriber").distinct().count() == 1


def test_a_big_event_is_fanned_out_in_portions_and_stamped_with_the_last(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspage.notifications.fan_out.PORTION", 3)
    for _ in range(6):
        make_subscriber(page)
    make_incident(page)
    counts = []
    while fan_out_round():
        counts.append((Delivery.objects.count(), Event.objects.waiting_for_fan_out().exists()))
    assert counts == [(3, True), (6, True), (6, False)]
    assert set(Delivery.objects.values_list("subscriber", flat=True)) == set(
        Subscriber.objects.values_list("pk", flat=True)
    )


def test_a_new_event_does_not_wait_for_the_fan_out_of_a_big_one(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statuspage.notifications.fan_out.PORTION", 2)
    for _ in range(9):
        make_subscriber(page)
    make_incident(page)
    fan_out_round()
    elsewhere = make_page(name="Other", domain="other.example")
    make_subscriber(elsewhere)
    make_incident(elsewhere)
    fan_out_round()
    assert Delivery.objects.filter(subscriber__page=elsewhere).count() == 1
    assert Delivery.objects.filter(subscriber__page=page).count() == 4


def test_no_event_is_fanned_out_before_an_earlier_one_about_the_same_incident(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspage.notifications.fan_out.PORTION", 2)
    for _ in range(3):
        make_subscriber(page)
    post(make_incident(page))
    fan_out_round()
    assert Delivery.objects.values("event").distinct().count() == 1
    fan_out_waiting()
    assert Delivery.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_two_dispatchers_at_once_make_one_row_each(page: Page) -> None:
    for _ in range(200):
        make_subscriber(page)
    incident = make_incident(page)
    for _ in range(4):
        post(incident)
    start = threading.Barrier(2)

    def dispatch() -> None:
        start.wait()
        fan_out_waiting()
        connection.close()

    threads = [threading.Thread(target=dispatch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Delivery.objects.count() == 5 * 200
    assert not Event.objects.waiting_for_fan_out().exists()


def test_events_are_fanned_out_before_requested_emails_and_these_in_portions(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statuspage.notifications.fan_out.REQUESTS", 2)
    make_subscriber(page)
    for number in range(5):
        pending = make_subscriber(page, f"new{number}@example.org", state="pending")
        EmailRequest.objects.create(kind="confirmation", subscriber=pending, is_bulk=True)
    make_incident(page)
    fan_out_round()
    kinds = list(Delivery.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["event", "confirmation", "confirmation"]
    fan_out_waiting()
    assert Delivery.objects.filter(kind="confirmation").count() == 5
