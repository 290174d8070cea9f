"""What becomes of a subscriber whose mail came back."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from incidents.models import AuditEntry, Page
from statuspage.notifications.bounces import bounces
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Bounce, BounceKind, Delivery
from statuspage.subscribers.models import Subscriber, Suppression
from statuspage.subscribers.sign_up import request_subscription, request_webhook
from tests.factories import make_endpoint, make_incident, make_subscriber

pytestmark = pytest.mark.django_db

WORDS = "550 5.1.1 <ada@example.com>: User unknown"


@pytest.fixture
def subscriber(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com")


def sent_delivery(page: Page) -> Delivery:
    """The mail about a new incident."""
    incident = make_incident(page)
    fan_out_waiting()
    return Delivery.objects.get(incident=incident)


def bounce(delivery: Delivery, kind: BounceKind = BounceKind.HARD, **more: Any) -> str:
    return bounces.record_bounce(delivery, kind, **{"status": "5.1.1", "message": WORDS} | more)


def days_ago(days: float) -> None:
    """All bounces so far happened that much earlier."""
    for row in Bounce.objects.all():
        Bounce.objects.filter(pk=row.pk).update(at=row.at - timedelta(days=days))
    Suppression.objects.update(until=F("until") - timedelta(days=days))


def state(subscriber: Subscriber) -> tuple[str, str]:
    subscriber.refresh_from_db()
    return subscriber.state, subscriber.paused_reason


def test_a_hard_bounce_pauses_with_the_servers_words(page: Page, subscriber: Subscriber) -> None:
    assert bounce(sent_delivery(page)) == "paused"
    assert state(subscriber) == ("paused", WORDS)
    row = Bounce.objects.get()
    assert (row.subscriber, row.kind, row.status, row.message) == (subscriber, "hard", "5.1.1", WORDS)


def test_the_audit_log_says_what_happened_and_no_address(page: Page, subscriber: Subscriber) -> None:
    bounce(sent_delivery(page))
    entry = AuditEntry.objects.get(verb="subscriber.paused")
    assert (entry.actor_kind, entry.object_ref) == ("system", subscriber.public_id)
    assert entry.details == {"because": "hard", "status": "5.1.1"}


def test_a_report_that_arrives_twice_counts_once(page: Page, subscriber: Subscriber) -> None:
    delivery = sent_delivery(page)
    bounce(delivery)
    subscriber.confirm()
    assert bounce(delivery) == "already recorded"
    assert state(subscriber)[0] == "active"
    assert Bounce.objects.count() == 1


def test_a_hard_bounce_after_confirming_anew_stops(page: Page, subscriber: Subscriber) -> None:
    bounce(sent_delivery(page))
    subscriber.refresh_from_db()
    subscriber.confirm()
    assert bounce(sent_delivery(page)) == "unsubscribed"
    assert state(subscriber) == ("unsubscribed", f"Rejected again after a new confirmation: {WORDS}")
    assert AuditEntry.objects.get(verb="subscriber.unsubscribed").details["because"] == "hard"


def test_a_late_report_about_a_mail_from_before_the_confirmation_only_counts(
    page: Page, subscriber: Subscriber
) -> None:
    first, second = sent_delivery(page), sent_delivery(page)
    bounce(first)
    Subscriber.objects.get().confirm()
    Subscriber.objects.update(confirmed_at=timezone.now() + timedelta(seconds=1))
    assert bounce(second) == "recorded"
    assert state(subscriber)[0] == "active"


def test_soft_bounces_on_three_days_of_a_week_pause(page: Page, subscriber: Subscriber) -> None:
    Subscriber.objects.update(confirmed_at=timezone.now() - timedelta(days=60))
    soft: dict[str, Any] = {"kind": BounceKind.SOFT, "status": "4.4.7", "message": "452 4.2.2 Over quota"}
    for expected in ("recorded", "recorded", "paused"):
        days_ago(1)
        assert bounce(sent_delivery(page), **soft) == expected
    assert (
        state(subscriber)[1]
        == "Emails could not be delivered on 3 days within a week. Last response: 452 4.2.2 Over quota"
    )


def test_ten_soft_bounces_on_one_day_do_not_pause(page: Page, subscriber: Subscriber) -> None:
    Subscriber.objects.update(confirmed_at=timezone.now() - timedelta(days=60))
    noon = timezone.now().replace(hour=12)
    for _ in range(10):
        bounce(sent_delivery(page), BounceKind.SOFT, status="4.4.7")
        Bounce.objects.update(at=noon)
    assert state(subscriber)[0] == "active"


def test_soft_bounces_of_another_week_do_not_count(page: Page, subscriber: Subscriber) -> None:
    Subscriber.objects.update(confirmed_at=timezone.now() - timedelta(days=60))
    for _ in range(4):
        days_ago(4)
        assert bounce(sent_delivery(page), BounceKind.SOFT, status="4.4.7") == "recorded"
    assert state(subscriber)[0] == "active"


def test_policy_rejections_never_pause_a_subscriber(page: Page, subscriber: Subscriber) -> None:
    for _ in range(5):
        days_ago(1)
        assert bounce(sent_delivery(page), BounceKind.POLICY, status="5.7.1", message="554 5.7.1 Listed") == "recorded"
    assert state(subscriber)[0] == "active"


@pytest.mark.parametrize("before", ["active", "paused", "pending"])
def test_a_complaint_unsubscribes_whoever_made_it(page: Page, subscriber: Subscriber, before: str) -> None:
    delivery = sent_delivery(page)
    Subscriber.objects.update(state=before)
    assert bounce(delivery, BounceKind.COMPLAINT, status="", message="Reported as abuse") == "unsubscribed"
    assert state(subscriber) == ("unsubscribed", "The subscriber reported an email as spam.")
    assert AuditEntry.objects.get(verb="subscriber.unsubscribed").details == {"because": "complaint", "status": ""}


def test_nobody_else_is_touched(page: Page, subscriber: Subscriber) -> None:
    delivery = sent_delivery(page)
    bob = make_subscriber(page, "bob@example.com")
    bounce(delivery)
    assert state(bob)[0] == "active"


def test_an_address_that_was_refused_twice_in_a_month_is_not_asked_to_confirm(
    page: Page, subscriber: Subscriber
) -> None:
    for _ in range(2):
        bounce(sent_delivery(page))
        Subscriber.objects.get().confirm()
    request_subscription(page, "ada@example.com")
    fan_out_waiting()
    assert not Delivery.objects.filter(event__isnull=True).exists()
    days_ago(31)
    Subscriber.objects.update(confirmation_sent_at=None)
    request_subscription(page, "ada@example.com")
    fan_out_waiting()
    assert Delivery.objects.filter(event__isnull=True).count() == 1


def test_a_mailbox_that_refused_at_once_counts_as_a_hard_bounce(page: Page, subscriber: Subscriber) -> None:
    bounces.record_rejections([(sent_delivery(page), "550 5.1.1 No such user here")])
    assert state(subscriber) == ("paused", "550 5.1.1 No such user here")
    assert Bounce.objects.get().kind == BounceKind.HARD


def test_a_refusal_for_policy_at_once_pauses_nobody(page: Page, subscriber: Subscriber) -> None:
    bounces.record_rejections([(sent_delivery(page), "554 5.7.1 Your address is on a list")])
    assert state(subscriber)[0] == "active"
    assert Bounce.objects.get().kind == BounceKind.POLICY


def test_rejections_that_are_recorded_together_have_the_same_results_as_single_ones(page: Page) -> None:
    names = ("ada", "bob", "policy", "twice", "again", "gone", "left", "late")
    people = {name: make_subscriber(page, f"{name}@example.com") for name in names}
    make_incident(page)
    fan_out_waiting()
    bounce(Delivery.objects.get(subscriber=people["again"]))
    days_ago(1)
    people["again"].confirm()
    make_incident(page)
    fan_out_waiting()
    people["left"].unsubscribe()
    Subscriber.objects.filter(pk=people["late"].pk).update(confirmed_at=timezone.now() + timedelta(minutes=1))
    newest = {name: Delivery.objects.filter(subscriber=people[name]).latest("pk") for name in names}
    texts = {name: f"550 5.1.1 <{name}@example.com>: User unknown" for name in names}
    texts |= {"ada": WORDS, "bob": WORDS, "policy": "554 5.7.1 Your address is on a list"}
    earlier = Delivery.objects.filter(subscriber=people["twice"]).earliest("pk")
    rejections = [(earlier, WORDS), *((newest[name], texts[name]) for name in names)]
    people.pop("gone").delete()

    bounces.record_rejections(rejections)

    states = {name: state(subscriber) for name, subscriber in people.items()}
    assert states == {
        "ada": ("paused", WORDS),
        "bob": ("paused", WORDS),
        "policy": ("active", ""),
        "twice": ("paused", WORDS),
        "again": ("unsubscribed", f"Rejected again after a new confirmation: {texts['again']}"),
        "left": ("unsubscribed", ""),
        "late": ("active", ""),
    }
    assert sorted(Bounce.objects.values_list("subscriber__email", "kind")) == sorted(
        (f"{name}@example.com", "policy" if name == "policy" else "hard")
        for name in ("ada", "bob", "policy", "twice", "twice", "again", "again", "left", "late")
    )
    assert {row.subscriber for row in Suppression.objects.all()} == {people["twice"], people["again"]}
    paused = AuditEntry.objects.filter(verb="subscriber.paused", details={"because": "hard", "status": "5.1.1"})
    assert set(paused.values_list("object_ref", flat=True)) == {
        people[name].public_id for name in ("ada", "bob", "twice", "again")
    }


def test_bounces_are_counted_after_the_incident_is_deleted(page: Page, subscriber: Subscriber) -> None:
    delivery = sent_delivery(page)
    bounce(delivery)
    delivery.delete()
    assert Bounce.objects.get().delivery is None


@pytest.mark.parametrize("kind", BounceKind.values)
def test_a_mail_to_the_owner_that_comes_back_leaves_the_endpoint_alone(page: Page, kind: str) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.com")
    request_webhook(page, hook.endpoint, hook.email)
    fan_out_waiting()
    mail = hook.deliveries.get()
    assert (mail.channel, bounce(mail, BounceKind(kind))) == ("email", "recorded")
    assert hook.bounces.get().kind == kind
    bounces.unsubscribe_by_provider(mail)
    bounces.record_complaint(hook, WORDS)
    assert state(hook) == ("active", "")
    assert not AuditEntry.objects.filter(object_ref=hook.public_id).exists()
