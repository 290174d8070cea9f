from incidents.models import Incident, Page
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import PagingQuery, incident_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.subscribers import actions, schemas
from statuspage.api.v1.subscribers.schemas import SubscriberBody, SubscriberOut
from statuspage.subscribers import staff_actions
from statuspage.subscribers.models.subscribers import SubscriberQuerySet
from statuspage.subscribers.preferences import Preferences, preferences_of

OF_INCIDENT = "/pages/{page_id}/incidents/{incident_id}/subscribers"


@endpoint("GET", OF_INCIDENT, Scope.SUBSCRIBERS, list[SubscriberOut], tag="subscribers")
def list_incident_subscribers(
    request: ApiRequest, page_id: str, incident_id: str, paging: PagingQuery
) -> list[SubscriberOut]:
    """List the subscribers of this incident."""
    page = page_of(request, page_id)
    rows = schemas.in_mode_and_state(_of_incident(page, incident_of(page, incident_id)), state="all")
    return actions.list_subscribers(page, rows.newest_first(), paging)


@endpoint("POST", OF_INCIDENT, Scope.SUBSCRIBERS, SubscriberOut, code=201, tag="subscribers")
def create_incident_subscriber(
    request: ApiRequest, page_id: str, incident_id: str, body: SubscriberBody
) -> SubscriberOut:
    """Add a subscriber to one incident."""
    page = page_of(request, page_id)
    preferences = Preferences(whole_page=False, incidents=(incident_of(page, incident_id),))
    added = actions.add_subscriber(page, body.subscriber, actor=request.token.actor, preferences=preferences)
    return actions.read_subscriber(page, added.public_id)


@endpoint("GET", f"{OF_INCIDENT}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut, tag="subscribers")
def get_incident_subscriber(request: ApiRequest, page_id: str, incident_id: str, subscriber_id: str) -> SubscriberOut:
    """Get a subscriber of an incident."""
    page = page_of(request, page_id)
    subscriber = actions.get_subscriber(_of_incident(page, incident_of(page, incident_id)), subscriber_id)
    return schemas.subscriber_out(page, subscriber)


@endpoint("DELETE", f"{OF_INCIDENT}/{{subscriber_id}}", Scope.SUBSCRIBERS, SubscriberOut, tag="subscribers")
def delete_incident_subscriber(
    request: ApiRequest, page_id: str, incident_id: str, subscriber_id: str
) -> SubscriberOut:
    """Remove a subscriber from this incident. A subscriber of nothing else is unsubscribed."""
    page, actor = page_of(request, page_id), request.token.actor
    incident = incident_of(page, incident_id)
    subscriber = actions.get_subscriber(_of_incident(page, incident), subscriber_id)
    preferences = actions.without_incident(preferences_of(subscriber), incident)
    if preferences is None:
        actions.remove_subscriber(subscriber, actor=actor)
    else:
        staff_actions.change(subscriber, preferences, actor=actor)
    return actions.read_subscriber(page, subscriber_id)


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
    """Resend the confirmation email to a subscriber of an incident."""
    page = page_of(request, page_id)
    return actions.resend_confirmation(request, page, _of_incident(page, incident_of(page, incident_id)), subscriber_id)


def _of_incident(page: Page, incident: Incident) -> SubscriberQuerySet:
    return page.subscribers.following(incident)
