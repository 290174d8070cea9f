from typing import Annotated, Literal

from django.core.exceptions import ValidationError
from django.http import Http404
from ninja import Query
from pydantic import BaseModel, Field

from incidents.models import Incident, Page
from statuspage.accounts.models import Scope
from statuspage.api import people
from statuspage.api.gate import ApiRequest
from statuspage.api.lookups import Paging, PagingQuery, incident_of, one_of
from statuspage.api.schemas.subscribers import (
    ComponentsBody,
    CountOut,
    CountsByMode,
    Histogram,
    ManyBody,
    Mode,
    StateWord,
    SubscriberBody,
    SubscriberOut,
)
from statuspage.api.service import endpoint, page_of
from statuspage.subscribers import endpoints, roster
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.models.subscribers import SubscriberQuerySet
from statuspage.subscribers.wishes import Wishes, wishes_of

PATH = "/pages/{page_id}/subscribers"
OF_INCIDENT = "/pages/{page_id}/incidents/{incident_id}/subscribers"
MANY = 100


class Narrowing(BaseModel):
    type: Mode | None = None
    state: StateWord = "active"


class Listing(Paging, Narrowing):
    q: Annotated[str, Field(max_length=254, description="Part of an address")] = ""
    page: Annotated[int, Field(description="From 0")] = 0
    sort_field: Literal["primary", "created_at", "quarantined_at", "relevance"] = "primary"
    sort_direction: Literal["asc", "desc"] = "asc"


ListingQuery = Query[Listing]
NarrowingQuery = Query[Narrowing]
SORTED = {"primary": "email", "created_at": "created_at", "quarantined_at": "paused_at", "relevance": "email"}


@endpoint("GET", PATH, Scope.SUBSCRIBERS, list[SubscriberOut])
def list_subscribers(request: ApiRequest, page_id: str, asked: ListingQuery) -> list[SubscriberOut]:
    """List subscribers: the active ones, unless another state is asked for. Pages count from 0."""
    page = page_of(request, page_id)
    rows = people.narrowed(page.subscribers.all(), mode=asked.type, state=asked.state)
    rows = rows.searched(asked.q) if asked.q else rows
    sign = "-" if asked.sort_direction == "desc" else ""
    return _listed(page, rows.order_by(f"{sign}{SORTED[asked.sort_field]}", f"{sign}pk"), asked, first=0)


@endpoint("POST", PATH, Scope.SUBSCRIBERS, SubscriberOut, code=201)
def create_subscriber(request: ApiRequest, page_id: str, body: SubscriberBody) -> SubscriberOut:
    """Add a subscriber by e-mail, webhook or telephone number."""
    page, asked = page_of(request, page_id), body.subscriber
    wishes = people.wishes_for(page, asked.component_ids)
    added = people.add(page, asked, actor=request.token.actor, wishes=wishes)
    return _out(page, added.public_id)


@endpoint("GET", f"{PATH}/count", Scope.READ, CountsByMode)
def count_subscribers(request: ApiRequest, page_id: str, asked: NarrowingQuery) -> CountsByMode:
    """Count subscribers by type."""
    return people.counted_by_mode(page_of(request, page_id), mode=asked.type, state=asked.state)


@endpoint("GET", f"{PATH}/histogram_by_state", Scope.READ, Histogram)
def histogram(request: ApiRequest, page_id: str) -> Histogram:
    """Count subscribers by type and state."""
    return people.counts(page_of(request, page_id))


@endpoint("GET", f"{PATH}/unsubscribed", Scope.SUBSCRIBERS, list[SubscriberOut])
def list_unsubscribed(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[SubscriberOut]:
    """List those who have unsubscribed."""
    page = page_of(request, page_id)
    return _listed(page, page.subscribers.in_states([SubscriberState.UNSUBSCRIBED]).newest_first(), paging)


@endpoint("POST", f"{PATH}/resend_confirmation", Scope.SUBSCRIBERS, CountOut, code=201)
def resend_confirmations(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Ask unconfirmed subscribers once more, each at most once a day."""
    page = page_of(request, page_id)
    waiting = people.narrowed(page.subscribers.all(), mode="email", state="unconfirmed")
    asked = [roster.resend_confirmation(one, actor=request.token.actor) for one in _chosen(waiting, body)]
    return CountOut(count=sum(asked))


@endpoint("POST", f"{PATH}/unsubscribe", Scope.SUBSCRIBERS, CountOut, code=201)
def unsubscribe_many(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Unsubscribe at most 100 subscribers. Nobody is told of it."""
    page = page_of(request, page_id)
    # Whom a client names by id is meant whatever their state, unless it says one.
    state = "all" if isinstance(body.subscribers, list) and "state" not in body.model_fields_set else body.state
    chosen = _chosen(people.narrowed(page.subscribers.all(), mode=body.type, state=state), body)
    for one in chosen:
        people.remove(one, actor=request.token.actor)
    return CountOut(count=len(chosen))


@endpoint("POST", f"{PATH}/reactivate", Scope.SUBSCRIBERS, CountOut, code=201)
def reactivate_many(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Send again to quarantined subscribers."""
    page, actor = page_of(request, page_id), request.token.actor
    chosen = _chosen(people.narrowed(page.subscribers.all(), mode=body.type, state="quarantined"), body)
    for one in chosen:
        if one.channel == Channel.EMAIL:
            roster.resume(one, actor=actor)
        else:
            endpoints.resume(one, actor=actor)
    return CountOut(count=len(chosen))


@endpoint("GET", f"{PATH}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut)
def get_subscriber(request: ApiRequest, page_id: str, subscriber_id: str) -> SubscriberOut:
    """Get a subscriber."""
    return _out(page_of(request, page_id), subscriber_id)


@endpoint("PATCH PUT", f"{PATH}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut)
def update_subscriber(
    request: ApiRequest,
    page_id: str,
    subscriber_id: str,
    body: ComponentsBody = ComponentsBody(),  # noqa: B008
) -> SubscriberOut:
    """Change what a subscriber is told of: these components, or the whole page."""
    page = page_of(request, page_id)
    subscriber = _subscriber(page.subscribers.all(), subscriber_id)
    wishes = people.wishes_for(page, body.component_ids, before=wishes_of(subscriber))
    roster.change(subscriber, wishes, actor=request.token.actor)
    return _out(page, subscriber_id)


@endpoint("DELETE", f"{PATH}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut)
def delete_subscriber(request: ApiRequest, page_id: str, subscriber_id: str) -> SubscriberOut:
    """Unsubscribe a subscriber. Nobody is told of it."""
    page = page_of(request, page_id)
    people.remove(_subscriber(page.subscribers.all(), subscriber_id), actor=request.token.actor)
    return _out(page, subscriber_id)


@endpoint("POST", f"{PATH}/{{subscriber_id}}/resend_confirmation", Scope.SUBSCRIBERS, SubscriberOut, code=201)
def resend_confirmation(request: ApiRequest, page_id: str, subscriber_id: str) -> SubscriberOut:
    """Ask a subscriber once more to confirm, at most once a day."""
    page = page_of(request, page_id)
    return _asked_again(request, page, page.subscribers.all(), subscriber_id)


@endpoint("GET", OF_INCIDENT, Scope.SUBSCRIBERS, list[SubscriberOut], tag="subscribers")
def list_incident_subscribers(
    request: ApiRequest, page_id: str, incident_id: str, paging: PagingQuery
) -> list[SubscriberOut]:
    """List those who are told of this incident because they chose it."""
    page = page_of(request, page_id)
    rows = people.narrowed(_of_incident(page, incident_of(page, incident_id)), state="all")
    return _listed(page, rows.newest_first(), paging)


@endpoint("POST", OF_INCIDENT, Scope.SUBSCRIBERS, SubscriberOut, code=201, tag="subscribers")
def create_incident_subscriber(
    request: ApiRequest, page_id: str, incident_id: str, body: SubscriberBody
) -> SubscriberOut:
    """Add a subscriber to one incident."""
    page = page_of(request, page_id)
    wishes = Wishes(whole_page=False, incidents=(incident_of(page, incident_id),))
    return _out(page, people.add(page, body.subscriber, actor=request.token.actor, wishes=wishes).public_id)


@endpoint("GET", f"{OF_INCIDENT}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut, tag="subscribers")
def get_incident_subscriber(request: ApiRequest, page_id: str, incident_id: str, subscriber_id: str) -> SubscriberOut:
    """Get a subscriber of an incident."""
    page = page_of(request, page_id)
    found = _subscriber(_of_incident(page, incident_of(page, incident_id)), subscriber_id)
    return people.subscriber_out(page, found)


@endpoint("DELETE", f"{OF_INCIDENT}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut, tag="subscribers")
def delete_incident_subscriber(
    request: ApiRequest, page_id: str, incident_id: str, subscriber_id: str
) -> SubscriberOut:
    """Tell a subscriber of this incident no more. Who chose nothing else is unsubscribed."""
    page, actor = page_of(request, page_id), request.token.actor
    incident = incident_of(page, incident_id)
    subscriber = _subscriber(_of_incident(page, incident), subscriber_id)
    wishes = people.without(wishes_of(subscriber), incident)
    if wishes is None:
        people.remove(subscriber, actor=actor)
    else:
        roster.change(subscriber, wishes, actor=actor)
    return _out(page, subscriber_id)


@endpoint(
    "POST",
    f"{OF_INCIDENT}/{{subscriber_id}}/resend_confirmation",
    Scope.SUBSCRIBERS,
    SubscriberOut,
    code=201,
    tag="subscribers",
)
def resend_incident_confirmation(
    request: ApiRequest, page_id: str, incident_id: str, subscriber_id: str
) -> SubscriberOut:
    """Ask a subscriber of an incident once more to confirm."""
    page = page_of(request, page_id)
    return _asked_again(request, page, _of_incident(page, incident_of(page, incident_id)), subscriber_id)


def _of_incident(page: Page, incident: Incident) -> SubscriberQuerySet:
    return page.subscribers.choosing(incident)


def _subscriber(rows: SubscriberQuerySet, code: str) -> Subscriber:
    found: Subscriber = one_of(rows.with_codes([code]).with_wishes().select_related("page"), code)
    return found


def _out(page: Page, code: str) -> SubscriberOut:
    return people.subscriber_out(page, _subscriber(page.subscribers.all(), code))


def _listed(page: Page, rows: SubscriberQuerySet, paging: Paging, *, first: int = 1) -> list[SubscriberOut]:
    return [people.subscriber_out(page, one) for one in paging.cut(rows.with_wishes(), first=first)]


def _asked_again(request: ApiRequest, page: Page, rows: SubscriberQuerySet, code: str) -> SubscriberOut:
    subscriber = _subscriber(rows, code)
    if subscriber.channel != Channel.EMAIL or subscriber.is_active:
        raise ValidationError({"subscriber": "Only unconfirmed e-mail subscribers are asked to confirm."})
    roster.resend_confirmation(subscriber, actor=request.token.actor)
    return _out(page, code)


def _chosen(rows: SubscriberQuerySet, body: ManyBody) -> list[Subscriber]:
    """Those with the ids that were sent, or `all` of them. Ids that are none of them are not found."""
    if isinstance(body.subscribers, str) and body.subscribers != "all":
        body.subscribers = [body.subscribers]
    if isinstance(body.subscribers, str):
        found = list(rows.select_related("page")[: MANY + 1])
    else:
        found = list(rows.with_codes(body.subscribers).select_related("page")[: MANY + 1])
        if len(found) < len(set(body.subscribers)):
            raise Http404
    if len(found) > MANY:
        raise ValidationError({"subscribers": f"These are more than {MANY}. Name at most {MANY} at once."})
    return found
