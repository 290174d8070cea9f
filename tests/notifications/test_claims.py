"""Who may send what, when. Times are the database's, so tests move the rows, not the clock."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries, Settings

from incidents.models import Event, EventKind, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.messages.notification import read_notification
from statuspage.notifications.models import Delivery, DeliveryState, Priority, claim_position
from statuspage.notifications.models.claim_position import ClaimPosition
from statuspage.notifications.models.deliveries import LEASE
from statuspage.notifications.skip_reasons import reason_to_skip
from statuspage.notifications.transports.email import EmailTransport
from statuspage.notifications.transports.smtp.envelope import ComposedEmail
from statuspage.notifications.transports.smtp.headers import envelope_sender
from statuspage.notifications.worker_base import compose_key
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.database_time import from_now
from tests.factories import make_incident, make_page, make_subscriber, post


def claim(token: str = "me", limit: int = 50, position: ClaimPosition | None = None) -> list[Delivery]:
    return Delivery.objects.claim("email", token=token, limit=limit, position=position)


def test_what_is_claimed_is_not_claimed_again(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    assert len(claim("one")) == 1
    assert claim("two") == []


def test_a_lease_that_ran_out_makes_the_row_claimable_again(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    claim("killed")
    Delivery.objects.update(lease_until=from_now(-timedelta(seconds=1)))
    (again,) = claim("next")
    assert again.lease_token == "next"


def test_a_lease_from_before_the_clock_was_set_back_holds_nobody_up(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    claim("killed")
    Delivery.objects.update(lease_until=from_now(timedelta(hours=1)))
    assert len(claim("next")) == 1


def test_a_renewed_lease_holds_from_now_on(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    (delivery,) = claim("me")
    Delivery.objects.update(lease_until=from_now(timedelta(seconds=1)))
    Delivery.objects.renew("me", [delivery.pk])
    assert Delivery.objects.filter(lease_until__gt=from_now(LEASE / 2)).exists()
    Delivery.objects.renew("somebody else", [delivery.pk])
    assert Delivery.objects.filter(lease_token="me").exists()


def test_what_is_given_back_is_due_at_once_and_no_attempt_is_burned(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    (delivery,) = claim("me")
    Delivery.objects.release("me", [delivery.pk])
    (again,) = claim("me")
    assert again.attempts == 0


def test_whoever_lost_the_lease_cannot_settle_the_row(page: Page) -> None:
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    (mine,) = claim("slow")
    Delivery.objects.update(lease_token="other")
    mine.fail("too late")
    mine.refresh_from_db()
    assert mine.state == DeliveryState.QUEUED


def test_a_later_event_waits_until_the_earlier_one_is_settled(page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    post(incident)
    fan_out_waiting()
    first, second = Delivery.objects.order_by("event_id")
    assert claim("one") == [first]
    assert claim("two") == []
    Delivery.objects.mark_sent([first.pk])
    assert claim("three") == [second]


def test_a_later_event_waits_while_the_earlier_one_is_retried(page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    post(incident)
    fan_out_waiting()
    (first,) = claim()
    first.defer("451 later", after=timedelta(hours=1))
    assert claim() == []


def test_another_subscriber_and_another_incident_do_not_wait(page: Page) -> None:
    ada, bob = make_subscriber(page), make_subscriber(page)
    outage = make_incident(page)
    post(outage)
    other = make_incident(page)
    fan_out_waiting()
    Delivery.objects.filter(subscriber=bob, incident=outage).first()
    for delivery in Delivery.objects.filter(subscriber=ada, incident=outage):
        Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=from_now(timedelta(hours=1)))
    claimed = {(d.subscriber_id, d.incident_id) for d in claim()}
    assert claimed == {(bob.pk, outage.pk), (bob.pk, other.pk), (ada.pk, other.pk)}


def test_a_new_incident_goes_before_a_backlog_of_updates(page: Page) -> None:
    for _ in range(5):
        make_subscriber(page)
    incident = make_incident(page)
    fan_out_waiting()
    Delivery.objects.mark_sent(list(Delivery.objects.values_list("pk", flat=True)))
    post(incident)
    fan_out_waiting()
    elsewhere = make_page(name="Other", domain="other.example")
    make_subscriber(elsewhere)
    make_incident(elsewhere)
    fan_out_waiting()
    assert claim(limit=1)[0].subscriber.page == elsewhere


def test_a_new_incident_shares_each_batch_with_an_earlier_one_that_has_much_queued(page: Page) -> None:
    for _ in range(9):
        make_subscriber(page)
    make_incident(page)
    elsewhere = make_page(name="Other", domain="other.example")
    for _ in range(3):
        make_subscriber(elsewhere)
    make_incident(elsewhere)
    fan_out_waiting()
    pages = [delivery.subscriber.page for delivery in claim(limit=4)]
    assert (pages.count(page), pages.count(elsewhere)) == (2, 2)
    pages = [delivery.subscriber.page for delivery in claim("next", limit=4)]
    assert (pages.count(page), pages.count(elsewhere)) == (3, 1)


def test_sending_claimed_deliveries_needs_no_query_for_each(
    page: Page, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.BOUNCE_ADDRESS = "bounce@example.com"
    for _ in range(3):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    claimed = claim()
    notification = read_notification([claimed[0].event_id or 0])[claimed[0].event_id or 0]
    composed = EmailTransport().compose(claimed[0], notification)
    assert isinstance(composed, ComposedEmail)
    template = composed.template(eight_bit=True, dot_stuffed=True)
    with django_assert_num_queries(0):
        for delivery in claimed:
            delivery.event, delivery.incident = notification.event, notification.incident
            assert not reason_to_skip(delivery, notification)
            assert compose_key(delivery) == compose_key(claimed[0])
            assert delivery.email.encode() in template.fill(delivery)
            assert envelope_sender(delivery).startswith("bounce+")


@pytest.mark.django_db
def test_finding_what_is_due_reads_the_index_of_queued_rows_only(page: Page) -> None:
    """So that it costs the same after a million sent mails."""
    make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    queued = Delivery.objects.get()
    # To the same subscriber, so that no other index finds the queued row as fast.
    event = {"page": page, "kind": EventKind.INCIDENT_UPDATED, "incident_id": queued.incident_id}
    sent = {"subscriber_id": queued.subscriber_id, "channel": "email", "priority": 1, "state": DeliveryState.SENT}
    Delivery.objects.bulk_create(
        Delivery(event=event, incident_id=queued.incident_id, sent_at=Now(), **sent)
        for event in Event.objects.bulk_create(Event(**event) for _ in range(300))
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # 300 rows are too few to make it choose
    due = Delivery.objects.claimable("email")
    oldest = due.order_by("priority", "next_attempt_at", "pk")[:50].explain()
    newest = due.filter(priority__lte=Priority.URGENT).order_by("-priority", "-next_attempt_at", "-pk")[:1].explain()
    for plan in (oldest, newest):
        assert "delivery_due" in plan, plan
        assert "delivery_in_order" in plan, plan
        assert "Sort" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


@pytest.mark.django_db
def test_a_claim_reads_little_though_the_database_believes_that_nothing_is_queued(page: Page) -> None:
    """As after a quiet week: its statistics are from then when a big event is fanned out."""
    if connection.vendor != "postgresql":
        return  # SQLite has no such statistics
    subscribers = [Subscriber(page=page, email=f"reader{n}@example.com", state="active") for n in range(3000)]
    for subscriber in subscribers:
        subscriber.confirmed_at = page.created_at
    Subscriber.objects.bulk_create(subscribers)
    incident = make_incident(page)
    fan_out_waiting()
    Delivery.objects.update(state=DeliveryState.CANCELED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    post(incident)
    fan_out_waiting()
    due = Delivery.objects.claimable("email").order_by("priority", "next_attempt_at", "pk")
    plan = json.loads(due.values_list("pk")[:50].explain(format="json", analyze=True, buffers=True))[0]["Plan"]
    assert plan["Actual Rows"] == 50
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 50 * 8


def publish_due_at(page: Page, minutes_ago: int, number: int) -> list[Delivery]:
    """Queue `number` deliveries of an incident of its own that have been due for `minutes_ago`."""
    subscribers = [make_subscriber(page) for _ in range(number)]
    event = make_incident(page, notify=False).events.get()
    Delivery.objects.bulk_create(
        Delivery(
            event=event,
            incident=event.incident,
            subscriber=subscriber,
            channel="email",
            priority=Priority.URGENT,
            next_attempt_at=from_now(-timedelta(minutes=minutes_ago)),
        )
        for subscriber in subscribers
    )
    return list(event.deliveries.order_by("pk"))


def test_claims_of_a_run_start_at_the_last_one(page: Page) -> None:
    """Sent deliveries are in PostgreSQL's index until VACUUM; here all of them are, because nothing is committed."""
    if connection.vendor != "postgresql":
        return  # SQLite removes them at once
    sent = publish_due_at(page, 20, 2000)
    publish_due_at(page, 10, 60)
    position = ClaimPosition()
    Delivery.objects.mark_sent([delivery.pk for delivery in sent])
    claim(limit=5, position=position)
    due = Delivery.objects.claimable("email")

    def pages_of(rows: QuerySet[Delivery]) -> int:
        ordered = rows.order_by("priority", "next_attempt_at", "pk").values_list("pk")[:5]
        plan = ordered.explain(format="json", analyze=True, buffers=True)
        assert "Sort" not in plan
        assert "delivery_due" in plan
        root = json.loads(plan)[0]["Plan"]
        assert root["Actual Rows"] == 5
        return int(root["Shared Hit Blocks"] + root["Shared Read Blocks"])

    assert pages_of(position.part(due, Priority.URGENT)) * 2 < pages_of(due)


def test_a_delivery_before_the_start_is_claimed_when_the_others_are(page: Page) -> None:
    """As when a lease expired, or another transaction was committed late."""
    publish_due_at(page, 10, 9)
    position = ClaimPosition()
    claim(limit=3, position=position)
    (late,) = publish_due_at(page, 20, 1)
    claimed = [delivery for _ in range(4) for delivery in claim(limit=3, position=position)]
    assert late in claimed
    assert len(claimed) == len(set(claimed)) == 7


def test_a_delivery_before_the_start_waits_only_some_seconds(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_due_at(page, 10, 99)
    position = ClaimPosition()
    claim(limit=3, position=position)
    (late,) = publish_due_at(page, 20, 1)
    monkeypatch.setattr(claim_position, "FULL_READ_SECONDS", 0.0)
    assert late in claim(limit=3, position=position)


def test_an_incident_that_is_published_during_a_run_shares_its_next_batch(page: Page) -> None:
    publish_due_at(page, 10, 20)
    position = ClaimPosition()
    claim(limit=4, position=position)
    fresh = publish_due_at(page, 0, 3)
    claimed = claim(limit=4, position=position)
    assert len(claimed) == 4
    assert len({*claimed} & {*fresh}) == 2


def test_a_more_urgent_delivery_is_claimed_first_during_a_run(page: Page) -> None:
    queued = publish_due_at(page, 10, 20)
    Delivery.objects.update(priority=Priority.LOW)
    position = ClaimPosition()
    claim(limit=4, position=position)
    (urgent,) = publish_due_at(page, 0, 1)
    claimed = claim(limit=4, position=position)
    assert claimed == [urgent, *queued[4:7]]


@pytest.mark.django_db(transaction=True)
def test_claimers_at_the_same_time_never_share_a_row(page: Page) -> None:
    for _ in range(400):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    claimed: list[int] = []
    start = threading.Barrier(4)

    def work(token: str) -> None:
        position = ClaimPosition()
        start.wait()
        while batch := claim(token, 7, position):
            claimed.extend(delivery.pk for delivery in batch)
        connection.close()

    threads = [threading.Thread(target=work, args=(f"worker{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 400
