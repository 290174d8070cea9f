"""The page."""

from typing import Annotated

from django.conf import settings
from pydantic import Field

from incidents.actions.pages import page_settings as actions
from incidents.models import (
    Page,
)
from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.lookups import serializer_of
from statuspage.api.router import endpoint, page_of
from statuspage.api.v1.base import RequestModel, ResponseModel


class PageOut(ResponseModel):
    """Settings that Candor does not have are null, false or their default."""

    id: str
    created_at: str
    updated_at: str
    name: str
    page_description: str | None
    headline: str | None = None
    branding: str = "basic"
    subdomain: str | None = None
    domain: str | None
    url: str
    support_url: str | None
    hidden_from_search: bool = False
    allow_page_subscribers: bool = True
    allow_incident_subscribers: bool = True
    allow_email_subscribers: bool = True
    allow_sms_subscribers: bool
    allow_rss_atom_feeds: bool = True
    allow_webhook_subscribers: bool = True
    notifications_from_email: str | None
    notifications_email_footer: str
    activity_score: int = 0
    twitter_username: str | None = None
    viewers_must_be_team_members: bool = False
    ip_restrictions: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    time_zone: str
    css_body_background_color: str | None = None
    css_font_color: str | None = None
    css_light_font_color: str | None = None
    css_greens: str | None = None
    css_yellows: str | None = None
    css_oranges: str | None = None
    css_blues: str | None = None
    css_reds: str | None = None
    css_border_color: str | None = None
    css_graph_color: str | None = None
    css_link_color: str | None = None
    css_no_data: str | None = None
    favicon_logo: str | None = None
    transactional_logo: str | None = None
    hero_cover: str | None = None
    email_logo: str | None = None
    twitter_logo: str | None = None


class PageIn(RequestModel):
    """Statuspage's other settings are accepted and ignored."""

    name: str | None = None
    domain: Annotated[str | None, Field(max_length=253)] = None
    page_description: Annotated[str | None, Field(max_length=2000)] = None
    support_url: Annotated[str | None, Field(max_length=200)] = None
    time_zone: Annotated[str | None, Field(max_length=64)] = None


class PageBody(RequestModel):
    page: PageIn


def page_out(page: Page) -> PageOut:
    return PageOut(
        **serializer_of(page).page_object(),
        allow_sms_subscribers=bool(settings.SMS_GATEWAY_URL),
        notifications_from_email=settings.DEFAULT_FROM_EMAIL,
    )


@endpoint("GET", "/pages", Scope.READ, list[PageOut])
def list_pages(request: ApiRequest) -> list[PageOut]:
    """List the page of this token."""
    return [page_out(request.token.page)]


@endpoint("GET", "/pages/{page_id}", Scope.READ, PageOut)
def get_page(request: ApiRequest, page_id: str) -> PageOut:
    """Get a page."""
    return page_out(page_of(request, page_id))


@endpoint("PATCH PUT", "/pages/{page_id}", Scope.ADMIN, PageOut)
def update_page(request: ApiRequest, page_id: str, body: PageBody) -> PageOut:
    """Update the page's name, domain, description, support URL and time zone."""
    page, names = page_of(request, page_id), {name: name for name in ("name", "domain", "support_url", "time_zone")}
    changes = body.page.texts(**names, page_description="description")
    return page_out(actions.edit_page(page, actor=request.token.actor, **changes))
