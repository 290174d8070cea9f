from django.core.exceptions import ValidationError
from django.http import Http404
from ninja import Query
from pydantic import BaseModel

from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.subscribers import actions, schemas
from statuspage.api.v1.subscribers.schemas import CountOut, CountsByMode, Histogram, ManyBody, Mode, StateIn
from statuspage.notifications import endpoint_messages
from statuspage.subscribers import staff_actions
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.models.subscribers import SubscriberQuerySet

PATH = "/pages/{page_id}/subscribers"
MAX_SUBSCRIBERS = 100


class SubscriberSelection(BaseModel):
    type: Mode | None = None
    state: StateIn = "active"


FilterQuery = Query[SubscriberSelection]


@endpoint("GET", f"{PATH}/count", Scope.READ, CountsByMode)
def count_subscribers(request: ApiRequest, page_id: str, query: FilterQuery) -> CountsByMode:
    """Count subscribers by type."""
    return schemas.counts_by_mode(page_of(request, page_id), mode=query.type, state=query.state)


@endpoint("GET", f"{PATH}/histogram_by_state", Scope.READ, Histogram)
def histogram(request: ApiRequest, page_id: str) -> Histogram:
    """Count subscribers by type and state."""
    return schemas.histogram(page_of(request, page_id))


@endpoint("POST", f"{PATH}/resend_confirmation", Scope.SUBSCRIBERS, CountOut, code=201)
def resend_confirmations(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Resend the confirmation email to unconfirmed subscribers, at most once a day to each."""
    page = page_of(request, page_id)
    waiting = schemas.in_mode_and_state(page.subscribers.all(), mode="email", state="unconfirmed")
    chosen, actor = _chosen(waiting, body), request.token.actor
    return CountOut(count=sum(staff_actions.resend_confirmation(subscriber, actor=actor) for subscriber in chosen))


@endpoint("POST", f"{PATH}/unsubscribe", Scope.SUBSCRIBERS, CountOut, code=201)
def unsubscribe_many(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Unsubscribe at most 100 subscribers. No notification is sent."""
    page = page_of(request, page_id)
    # Subscribers that are named by id are meant in every state, unless the client sends a state.
    state = "all" if isinstance(body.subscribers, list) and "state" not in body.model_fields_set else body.state
    chosen = _chosen(schemas.in_mode_and_state(page.subscribers.all(), mode=body.type, state=state), body)
    for subscriber in chosen:
        actions.remove_subscriber(subscriber, actor=request.token.actor)
    return CountOut(count=len(chosen))


@endpoint("POST", f"{PATH}/reactivate", Scope.SUBSCRIBERS, CountOut, code=201)
def reactivate_many(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Reactivate quarantined subscribers."""
    page, actor = page_of(request, page_id), request.token.actor
    chosen = _chosen(schemas.in_mode_and_state(page.subscribers.all(), mode=body.type, state="quarantined"), body)
    for subscriber in chosen:
        if subscriber.channel == Channel.EMAIL:
            staff_actions.resume(subscriber, actor=actor)
        else:
            endpoint_messages.resume(subscriber, actor=actor)
    return CountOut(count=len(chosen))


def _chosen(rows: SubscriberQuerySet, body: ManyBody) -> list[Subscriber]:
    """Return the subscribers with the ids that were sent, or all of them. Http404 for an unknown id."""
    if isinstance(body.subscribers, str) and body.subscribers != "all":
        body.subscribers = [body.subscribers]
    if isinstance(body.subscribers, str):
        subscribers = list(rows.select_related("page")[: MAX_SUBSCRIBERS + 1])
    else:
        subscribers = list(rows.with_public_ids(body.subscribers).select_related("page")[: MAX_SUBSCRIBERS + 1])
        if len(subscribers) < len(set(body.subscribers)):
            raise Http404
    if len(subscribers) > MAX_SUBSCRIBERS:
        raise ValidationError({"subscribers": f"Send at most {MAX_SUBSCRIBERS} subscribers at once."})
    return subscribers
