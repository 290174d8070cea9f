"""Postmortems."""

from django.core.exceptions import ValidationError
from django.http import Http404

from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.models import (
    Event,
    Incident,
    Page,
    Postmortem,
)
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import incident_of, serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import RequestModel, ResponseModel, Text


class PostmortemOut(ResponseModel):
    preview_key: str | None = None
    body: str | None
    body_updated_at: str | None
    body_draft: str | None
    body_draft_updated_at: str | None
    published_at: str | None
    notify_subscribers: bool
    notify_twitter: bool = False
    custom_tweet: str | None = None
    created_at: str
    updated_at: str


class DraftIn(RequestModel):
    body_draft: Text


class DraftBody(RequestModel):
    postmortem: DraftIn


class PublishIn(RequestModel):
    notify_subscribers: bool = False


class PublishBody(RequestModel):
    postmortem: PublishIn = PublishIn()


def postmortem_out(page: Page, postmortem: Postmortem) -> PostmortemOut:
    is_notified = bool(Event.objects.with_announced_postmortem([postmortem.incident]))
    return PostmortemOut(**serializer_of(page).postmortem(postmortem, is_notified=is_notified))


PATH = "/pages/{page_id}/incidents/{incident_id}/postmortem"
TAG = "postmortems"


@endpoint("GET", PATH, Scope.READ, PostmortemOut, tag=TAG)
def get_postmortem(request: ApiRequest, page_id: str, incident_id: str) -> PostmortemOut:
    """Get a postmortem. Its draft is included only for tokens with the scope `incidents:write`."""
    page = page_of(request, page_id)
    postmortem = _postmortem(incident_of(page, incident_id))
    if not request.token.may(Scope.INCIDENTS):
        if not postmortem.is_published:
            raise Http404
        postmortem.draft = ""
    return postmortem_out(page, postmortem)


@endpoint("PUT POST", PATH, Scope.INCIDENTS, PostmortemOut, tag=TAG)
def write_postmortem(request: ApiRequest, page_id: str, incident_id: str, body: DraftBody) -> PostmortemOut:
    """Write the draft of a postmortem. It is not public until you publish it."""
    page = page_of(request, page_id)
    incident = incident_of(page, incident_id)
    if not body.postmortem.body_draft.strip():
        raise ValidationError({"body_draft": "Enter a text."})
    try:
        actions.save_draft(incident, body=body.postmortem.body_draft, actor=request.token.actor)
    except ValidationError as error:
        raise _about_draft(error) from None
    return postmortem_out(page, _postmortem(incident))


@endpoint("DELETE", PATH, Scope.INCIDENTS, None, code=204, tag=TAG)
def delete_postmortem(request: ApiRequest, page_id: str, incident_id: str) -> None:
    """Remove a postmortem from the page and clear its draft."""
    incident = incident_of(page_of(request, page_id), incident_id)
    postmortem, actor = _postmortem(incident), request.token.actor
    if postmortem.is_published:
        actions.retract(postmortem, actor=actor)
    actions.save_draft(incident, body="", actor=actor)


@endpoint("PUT POST", f"{PATH}/publish", Scope.INCIDENTS, PostmortemOut, tag=TAG)
def publish_postmortem(
    request: ApiRequest,
    page_id: str,
    incident_id: str,
    body: PublishBody = PublishBody(),  # noqa: B008 - never changed
) -> PostmortemOut:
    """Publish the draft. Subscribers are notified only if `notify_subscribers` is true."""
    page = page_of(request, page_id)
    incident = incident_of(page, incident_id)
    postmortem = _postmortem(incident)
    try:
        actions.publish(
            incident, body=postmortem.draft, notify=body.postmortem.notify_subscribers, actor=request.token.actor
        )
    except ValidationError as error:
        raise _about_draft(error) from None
    return postmortem_out(page, _postmortem(incident))


@endpoint("PUT POST", f"{PATH}/revert", Scope.INCIDENTS, PostmortemOut, tag=TAG)
def revert_postmortem(request: ApiRequest, page_id: str, incident_id: str) -> PostmortemOut:
    """Retract a published postmortem. Its text becomes the draft."""
    page = page_of(request, page_id)
    incident = incident_of(page, incident_id)
    actions.retract(_postmortem(incident), actor=request.token.actor)
    return postmortem_out(page, _postmortem(incident))


def _postmortem(incident: Incident) -> Postmortem:
    postmortem = Postmortem.objects.filter(incident=incident).select_related("incident__page").first()
    if postmortem is None or not (postmortem.draft or postmortem.is_published):
        raise Http404
    return postmortem


def _about_draft(error: ValidationError) -> ValidationError:
    return ValidationError({"body_draft": error.messages})
