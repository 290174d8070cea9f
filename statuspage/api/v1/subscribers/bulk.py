from django.core.exceptions import ValidationError
from django.http import Http404
from ninja import Query
from pydantic import BaseModel

from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.subscribers import actions, schemas
from statuspage.api.v1.subscribers.schemas import CountOut, CountsByMode, Histogram, ManyBody, Mode, StateWord
from statuspage.notifications import endpoint_messages
from statuspage.subscribers import staff_actions
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.models.subscribers import SubscriberQuerySet

PATH = "/pages/{page_id}/subscribers"
MANY = 100


class Narrowing(BaseModel):
    type: Mode | None = None
    state: StateWord = "active"


NarrowingQuery = Query[Narrowing]


@endpoint("GET", f"{PATH}/count", Scope.READ, CountsByMode)
def count_subscribers(request: ApiRequest, page_id: str, asked: NarrowingQuery) -> CountsByMode:
    """Count subscribers by type."""
    return schemas.counts_by_mode(page_of(request, page_id), mode=asked.type, state=asked.state)


@endpoint("GET", f"{PATH}/histogram_by_state", Scope.READ, Histogram)
def histogram(request: ApiRequest, page_id: str) -> Histogram:
    """Count subscribers by type and state."""
    return schemas.histogram(page_of(request, page_id))


@endpoint("POST", f"{PATH}/resend_confirmation", Scope.SUBSCRIBERS, CountOut, code=201)
def resend_confirmations(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Ask unconfirmed subscribers once more, each at most once a day."""
    page = page_of(request, page_id)
    waiting = schemas.in_mode_and_state(page.subscribers.all(), mode="email", state="unconfirmed")
    asked = [staff_actions.resend_confirmation(one, actor=request.token.actor) for one in _chosen(waiting, body)]
    return CountOut(count=sum(asked))


@endpoint("POST", f"{PATH}/unsubscribe", Scope.SUBSCRIBERS, CountOut, code=201)
def unsubscribe_many(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Unsubscribe at most 100 subscribers. Nobody is told of it."""
    page = page_of(request, page_id)
    # Whom a client names by id is meant whatever their state, unless it says one.
    state = "all" if isinstance(body.subscribers, list) and "state" not in body.model_fields_set else body.state
    chosen = _chosen(schemas.in_mode_and_state(page.subscribers.all(), mode=body.type, state=state), body)
    for one in chosen:
        actions.remove_subscriber(one, actor=request.token.actor)
    return CountOut(count=len(chosen))


@endpoint("POST", f"{PATH}/reactivate", Scope.SUBSCRIBERS, CountOut, code=201)
def reactivate_many(request: ApiRequest, page_id: str, body: ManyBody) -> CountOut:
    """Send again to quarantined subscribers."""
    page, actor = page_of(request, page_id), request.token.actor
    chosen = _chosen(schemas.in_mode_and_state(page.subscribers.all(), mode=body.type, state="quarantined"), body)
    for one in chosen:
        if one.channel == Channel.EMAIL:
            staff_actions.resume(one, actor=actor)
        else:
            endpoint_messages.resume(one, actor=actor)
    return CountOut(count=len(chosen))


def _chosen(rows: SubscriberQuerySet, body: ManyBody) -> list[Subscriber]:
    """Those with the ids that were sent, or `all` of them. Ids that are none of them are not found."""
    if isinstance(body.subscribers, str) and body.subscribers != "all":
        body.subscribers = [body.subscribers]
    if isinstance(body.subscribers, str):
        found = list(rows.select_related("page")[: MANY + 1])
    else:
        found = list(rows.with_public_ids(body.subscribers).select_related("page")[: MANY + 1])
        if len(found) < len(set(body.subscribers)):
            raise Http404
    if len(found) > MANY:
        raise ValidationError({"subscribers": f"These are more than {MANY}. Name at most {MANY} at once."})
    return found
