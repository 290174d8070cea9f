"""A page's subscribers as staff look through them: by state, by address, with what was last sent to each."""

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
    """`address` is masked for those who may not read it."""

    subscriber: Subscriber
    address: str
    last_delivery: Delivery | None


@dataclass(frozen=True)
class SubscriberFilter:
    """What a list is narrowed to; empty or unknown values narrow nothing."""

    state: str = ""
    channel: str = ""
    scope: str = ""
    search: str = ""

    @property
    def chosen(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}

    def of(self, everybody: SubscriberQuerySet) -> SubscriberQuerySet:
        found = everybody
        if self.state in SubscriberState.values:
            found = found.filter(state=self.state)
        if self.channel in Channel.values:
            found = found.filter(channel=self.channel)
        if self.scope in (WHOLE_PAGE, SELECTED):
            found = found.filter(whole_page=self.scope == WHOLE_PAGE)
        if self.search:
            found = found.filter(Q(email__icontains=self.search) | Q(name__icontains=self.search))
        return found


@dataclass(frozen=True)
class Directory:
    """`counts`: value, label and number of every state, in the order of SubscriberState."""

    listed: PageOf[Subscriber]
    entries: list[SubscriberRow]
    counts: list[tuple[str, str, int]]
    total: int


def directory(page: Page, narrowed: SubscriberFilter, *, number: str | None, masked: bool) -> Directory:
    """One screenful, in five queries however many there are."""
    found = narrowed.of(Subscriber.objects.newest_first().filter(page=page))
    listed = Paginator(found, PER_PAGE).get_page(number)
    shown = list(listed.object_list)
    last = _last_deliveries(shown)
    entries = [SubscriberRow(one, address_of(one, masked=masked), last.get(one.pk)) for one in shown]
    counts = dict(Subscriber.objects.filter(page=page).values_list("state").annotate(number=Count("pk")))
    by_state = [(value, label, counts.get(value, 0)) for value, label in SubscriberState.choices]
    return Directory(listed, entries, by_state, sum(counts.values()))


def address_of(subscriber: Subscriber, *, masked: bool) -> str:
    return mask(subscriber.address) if masked else subscriber.address


def mask(address: str) -> str:
    """`a•••@example.org`, `https://example.org/…`: enough to see whom it may be, too little to write to."""
    name, at, host = address.partition("@")
    if not at:
        return address.partition("…")[0] + "…" if "://" in address else "•••"
    return f"{name[:1]}•••@{host}"


def failed_deliveries(page: Page) -> list[Delivery]:
    """The newest that were given up."""
    failed = Delivery.objects.newest_first().filter(state=DeliveryState.FAILED, subscriber__page=page)
    return list(failed.select_related("subscriber", "incident")[:FAILED_SHOWN])


def endpoint_list(page: Page, words: str, *, by_address: bool) -> SubscriberQuerySet:
    """Those that are, or may be, sent to first, then the removed. Who may not read addresses finds by name alone."""
    found = Subscriber.objects.endpoints().filter(page=page)
    if words:
        found = found.searched(words) if by_address else found.named(words)
    removed = Case(When(state=SubscriberState.UNSUBSCRIBED, then=1), default=0)
    return found.order_by(removed, "channel", "-created_at", "-pk")


def newest_deliveries(subscriber: Subscriber, *, number: str | None) -> PageOf[Delivery]:
    return Paginator(Delivery.objects.to_endpoint(subscriber), PER_PAGE).get_page(number)


def latest_bounces(page: Page) -> list[Bounce]:
    """The newest mails that came back after the mail server had taken them, and complaints."""
    found = Bounce.objects.of_page(page).after_acceptance().newest_first()
    return list(found.select_related("subscriber", "delivery__incident")[:FAILED_SHOWN])


def _last_deliveries(subscribers: list[Subscriber]) -> dict[int, Delivery]:
    newest = Delivery.objects.filter(subscriber__in=[one.pk for one in subscribers])
    newest_ids = newest.order_by().values("subscriber").annotate(newest=Max("pk")).values("newest")
    return {
        delivery.subscriber.pk: delivery
        for delivery in Delivery.objects.filter(pk__in=newest_ids).select_related("subscriber")
    }
