from typing import Annotated, Literal

from ninja import Query
from pydantic import Field

from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import Paging, PagingQuery
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.subscribers import actions, schemas
from statuspage.api.v1.subscribers.schemas import ComponentsBody, Mode, StateIn, SubscriberBody, SubscriberOut
from statuspage.subscribers import staff_actions
from statuspage.subscribers.models import SubscriberState
from statuspage.subscribers.preferences import preferences_of

PATH = "/pages/{page_id}/subscribers"


class Listing(Paging):
    q: Annotated[str, Field(max_length=254, description="Part of an address")] = ""
    page: Annotated[int, Field(description="From 0")] = 0
    type: Mode | None = None
    state: StateIn = "active"
    sort_field: Literal["primary", "created_at", "quarantined_at", "relevance"] = "primary"
    sort_direction: Literal["asc", "desc"] = "asc"


ListingQuery = Query[Listing]
SORTED = {"primary": "email", "created_at": "created_at", "quarantined_at": "paused_at", "relevance": "email"}


@endpoint("GET", PATH, Scope.SUBSCRIBERS, list[SubscriberOut])
def list_subscribers(request: ApiRequest, page_id: str, query: ListingQuery) -> list[SubscriberOut]:
    """List subscribers. The default `state` is `active`. Pages count from 0."""
    page = page_of(request, page_id)
    rows = schemas.in_mode_and_state(page.subscribers.all(), mode=query.type, state=query.state)
    rows = rows.searched(query.q) if query.q else rows
    sign = "-" if query.sort_direction == "desc" else ""
    return actions.list_subscribers(
        page, rows.order_by(f"{sign}{SORTED[query.sort_field]}", f"{sign}pk"), query, first=0
    )


@endpoint("POST", PATH, Scope.SUBSCRIBERS, SubscriberOut, code=201)
def create_subscriber(request: ApiRequest, page_id: str, body: SubscriberBody) -> SubscriberOut:
    """Add a subscriber by email, webhook or phone number."""
    page, data = page_of(request, page_id), body.subscriber
    preferences = actions.preferences_for(page, data.component_ids)
    added = actions.add_subscriber(page, data, actor=request.token.actor, preferences=preferences)
    return actions.read_subscriber(page, added.public_id)


@endpoint("GET", f"{PATH}/unsubscribed", Scope.SUBSCRIBERS, list[SubscriberOut])
def list_unsubscribed(request: ApiRequest, page_id: str, paging: PagingQuery) -> list[SubscriberOut]:
    """List unsubscribed subscribers."""
    page = page_of(request, page_id)
    return actions.list_subscribers(
        page, page.subscribers.in_states([SubscriberState.UNSUBSCRIBED]).newest_first(), paging
    )


@endpoint("GET", f"{PATH}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut)
def get_subscriber(request: ApiRequest, page_id: str, subscriber_id: str) -> SubscriberOut:
    """Get a subscriber."""
    return actions.read_subscriber(page_of(request, page_id), subscriber_id)


@endpoint("PATCH PUT", f"{PATH}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut)
def update_subscriber(
    request: ApiRequest,
    page_id: str,
    subscriber_id: str,
    body: ComponentsBody = ComponentsBody(),  # noqa: B008
) -> SubscriberOut:
    """Change what a subscriber follows: some components, or the whole page."""
    page = page_of(request, page_id)
    subscriber = actions.get_subscriber(page.subscribers.all(), subscriber_id)
    preferences = actions.preferences_for(page, body.component_ids, before=preferences_of(subscriber))
    staff_actions.change(subscriber, preferences, actor=request.token.actor)
    return actions.read_subscriber(page, subscriber_id)


@endpoint("DELETE", f"{PATH}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut)
def delete_subscriber(request: ApiRequest, page_id: str, subscriber_id: str) -> SubscriberOut:
    """Unsubscribe a subscriber. No notification is sent."""
    page = page_of(request, page_id)
    actions.remove_subscriber(actions.get_subscriber(page.subscribers.all(), subscriber_id), actor=request.token.actor)
    return actions.read_subscriber(page, subscriber_id)


@endpoint("POST", f"{PATH}/{{subscriber_id}}/resend_confirmation", Scope.SUBSCRIBERS, SubscriberOut, code=201)
def resend_confirmation(request: ApiRequest, page_id: str, subscriber_id: str) -> SubscriberOut:
    """Ask a subscriber once more to confirm, at most once a day."""
    page = page_of(request, page_id)
    return actions.resend_confirmation(request, page, page.subscribers.all(), subscriber_id)
