"""Badges: the current status of a page or a component as a small image for other sites."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from incidents.models import Component, Page
from incidents.models.states import ComponentStatus, Impact
from incidents.status import impact_of, page_status, worst_impact
from incidents.templatetags.candor import site_name
from incidents.visibility import Viewer
from statuspage.common.shared_reads import is_sharing
from statuspage.common.urls import current_page
from statuspage.public.embeds.badge import COLORS, Badge, short_name
from statuspage.public.http_caching import public_page, rendered
from statuspage.public.page_state import shown_components


@public_page
def page_badge(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    statuses = [component.status for component in shown_components(page)]
    impacts = list(page.incidents.visible_to(Viewer.PUBLIC).unresolved().values_list("impact", flat=True))
    headline = page_status(statuses, open_impacts=impacts)
    if impacts and headline.indicator == Impact.NONE:
        # An open incident without an affected component: never green.
        word = "1 Open Incident" if len(impacts) == 1 else f"{len(impacts)} Open Incidents"
        return _badge(page, site_name(page), word, worst_impact([Impact.MINOR, *impacts]))
    return _badge(page, site_name(page), headline.description, worst_impact([headline.indicator]))


@public_page
def component_badge(request: HttpRequest, public_id: str) -> HttpResponse:
    page = current_page(request)
    component = _component(page, public_id)
    if component is None:
        raise Http404
    status = ComponentStatus(component.status)
    return _badge(page, component.full_name, status.label, impact_of([status]))


def _component(page: Page, public_id: str) -> Component | None:
    if is_sharing():
        return next((c for c in shown_components(page) if c.public_id == public_id), None)
    return page.components.visible_to(Viewer.PUBLIC).select_related("group").with_public_ids([public_id]).first()


def _badge(page: Page, name: str, word: str, impact: Impact) -> HttpResponse:
    badge = Badge(short_name(name), word, COLORS[impact])
    kind = "image/svg+xml; charset=utf-8"
    return rendered("public/badge.svg", {"badge": badge}, changed_at=page.updated_at, content_type=kind)
