"""The list of subscribers for staff: filtered by state, channel, scope and address, with the last delivery of each."""

from dataclasses import asdict, dataclass

from django.core.paginator import Page as PageOf
from django.core.paginator import Paginator
from django.db.models import Case, Count, Max, Q, When

from incidents.models import Page
from statuspage.notifications.models import Bounce, Delivery, DeliveryState
from statuspage.subscribers.forms import SELECTED, WHOLE_PAGE
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import SubscriberQuerySet

PER_PAGE = 50
FAILED_SHOWN = 20


@dataclass(frozen=True)
class SubscriberRow:
    """`address` is masked for people who may not read it."""

    subscriber: Subscriber
    address: str
    last_delivery: Delivery | None


@dataclass(frozen=True)
class SubscriberFilter:
    """The filters of the list. Empty and unknown values filter nothing."""

    state: str = ""
    channel: str = ""
    scope: str = ""
    search: str = ""

    @property
    def chosen(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    def apply(self, subscribers: SubscriberQuerySet) -> SubscriberQuerySet:
        if self.state in SubscriberState.values:
            subscribers = subscribers.filter(state=self.state)
        if self.channel in Channel.values:
            subscribers = subscribers.filter(channel=self.channel)
        if self.scope in (WHOLE_PAGE, SELECTED):
            subscribers = subscribers.filter(whole_page=self.scope == WHOLE_PAGE)
        if self.search:
            subscribers = subscribers.filter(Q(email__icontains=self.search) | Q(name__icontains=self.search))
        return subscribers


@dataclass(frozen=True)
class Directory:
    """`counts`: value, label and number of every state, in the order of SubscriberState."""

    listed: PageOf[Subscriber]
    entries: list[SubscriberRow]
    counts: list[tuple[str, str, int]]
    total: int


def directory(page: Page, filters: SubscriberFilter, *, page_number: str | None, masked: bool) -> Directory:
    """Return one page of the list. Needs five queries, whatever the number of subscribers."""
    matches = filters.apply(Subscriber.objects.newest_first().filter(page=page))
    listed = Paginator(matches, PER_PAGE).get_page(page_number)
    shown = list(listed.object_list)
    last = _last_deliveries(shown)
    entries = [
        SubscriberRow(subscriber, address_of(subscriber, masked=masked), last.get(subscriber.pk))
        for subscriber in shown
    ]
    counts = dict(Subscriber.objects.filter(page=page).values_list("state").annotate(number=Count("pk")))
    by_state = [(value, label, counts.get(value, 0)) for value, label in SubscriberState.choices]
    return Directory(listed, entries, by_state, sum(counts.values()))


def address_of(subscriber: Subscriber, *, masked: bool) -> str:
    return mask(subscriber.address) if masked else subscriber.address


def mask(address: str) -> str:
    """Return a masked address, like `a•••@example.org` or `https://example.org/…`."""
    name, at, host = address.partition("@")
    if not at:
        return address.partition("…")[0] + "…" if "://" in address else "•••"
    return f"{name[:1]}•••@{host}"


def failed_deliveries(page: Page) -> list[Delivery]:
    """Return the newest deliveries that failed permanently."""
    failed = Delivery.objects.newest_first().filter(state=DeliveryState.FAILED, subscriber__page=page)
    return list(failed.select_related("subscriber", "incident")[:FAILED_SHOWN])


def endpoint_list(page: Page, search: str, *, by_address: bool) -> SubscriberQuerySet:
    """Return the endpoints that match `search`, removed ones last. Without `by_address`, only names are searched."""
    endpoints = Subscriber.objects.endpoints().filter(page=page)
    if search:
        endpoints = endpoints.searched(search) if by_address else endpoints.named(search)
    removed = Case(When(state=SubscriberState.UNSUBSCRIBED, then=1), default=0)
    return endpoints.order_by(removed, "channel", "-created_at", "-pk")


def newest_deliveries(subscriber: Subscriber, *, page_number: str | None) -> PageOf[Delivery]:
    return Paginator(Delivery.objects.to_endpoint(subscriber), PER_PAGE).get_page(page_number)


def latest_bounces(page: Page) -> list[Bounce]:
    """Return the newest bounces of emails that the mail server had accepted, and complaints."""
    bounces = Bounce.objects.of_page(page).after_acceptance().newest_first()
    return list(bounces.select_related("subscriber", "delivery__incident")[:FAILED_SHOWN])


def _last_deliveries(subscribers: list[Subscriber]) -> dict[int, Delivery]:
    newest = Delivery.objects.filter(subscriber__in=[subscriber.pk for subscriber in subscribers])
    newest_ids = newest.order_by().values("subscriber").annotate(newest=Max("pk")).values("newest")
    return {
        delivery.subscriber.pk: delivery
        for delivery in Delivery.objects.filter(pk__in=newest_ids).select_related("subscriber")
    }
