"""A page's subscribers as staff look through them: by state, by address, with what was last sent to each."""

from dataclasses import dataclass

from django.core.paginator import Page as PageOf
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Count, Max

from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.subscribers.models import Bounce, Delivery, DeliveryState, Subscriber, SubscriberState

PER_PAGE = 50
FAILED_SHOWN = 20


@dataclass(frozen=True)
class Entry:
    """`address` is masked for those who may not read it."""

    subscriber: Subscriber
    address: str
    last_delivery: Delivery | None


@dataclass(frozen=True)
class Directory:
    """`counts`: value, label and number of every state, in the order of SubscriberState."""

    listed: PageOf[Subscriber]
    entries: list[Entry]
    counts: list[tuple[str, str, int]]
    total: int


def directory(page: Page, *, state: str, search: str, number: str | None, masked: bool) -> Directory:
    """One screenful, in five queries however many there are. An unknown `state` means all."""
    found = Subscriber.objects.newest_first().filter(page=page)
    if state in SubscriberState.values:
        found = found.filter(state=state)
    if search:
        found = found.filter(email__icontains=search)
    listed = Paginator(found, PER_PAGE).get_page(number)
    shown = list(listed.object_list)
    last = _last_deliveries(shown)
    entries = [Entry(one, mask(one.email) if masked else one.email, last.get(one.pk)) for one in shown]
    counts = dict(Subscriber.objects.filter(page=page).values_list("state").annotate(number=Count("pk")))
    by_state = [(value, label, counts.get(value, 0)) for value, label in SubscriberState.choices]
    return Directory(listed, entries, by_state, sum(counts.values()))


def mask(address: str) -> str:
    """`a•••@example.org`: enough to see whom it may be, too little to write to."""
    name, _, host = address.partition("@")
    return f"{name[:1]}•••@{host}"


def failed_deliveries(page: Page) -> list[Delivery]:
    """The newest that were given up."""
    failed = Delivery.objects.newest_first().filter(state=DeliveryState.FAILED, subscriber__page=page)
    return list(failed.select_related("subscriber", "incident")[:FAILED_SHOWN])


def latest_bounces(page: Page) -> list[Bounce]:
    """The newest mails that came back after the mail server had taken them, and complaints."""
    found = Bounce.objects.of_page(page).after_acceptance().newest_first()
    return list(found.select_related("subscriber", "delivery__incident")[:FAILED_SHOWN])


@transaction.atomic
def unsubscribe(subscriber: Subscriber, *, actor: Actor) -> None:
    """The audit log keeps who did it, and not the address: it is never deleted."""
    subscriber.unsubscribe()
    about = {"object_type": "subscriber", "object_ref": subscriber.public_id}
    note(subscriber.page, "subscriber.unsubscribed", actor=actor, **about)


def _last_deliveries(subscribers: list[Subscriber]) -> dict[int, Delivery]:
    newest = Delivery.objects.filter(subscriber__in=[one.pk for one in subscribers])
    newest_ids = newest.order_by().values("subscriber").annotate(newest=Max("pk")).values("newest")
    return {delivery.subscriber_id: delivery for delivery in Delivery.objects.filter(pk__in=newest_ids)}
