"""Template tags for the sign-in pages. Their views belong to allauth, which has no status pages."""

from typing import Any

from django import template
from django.http import Http404

from incidents.models import Page
from statuspage.common.urls import current_page

register = template.Library()


@register.simple_tag(takes_context=True)
def page_of_request(context: dict[str, Any]) -> Page | None:
    """`{% page_of_request as page %}`: the page of the requested host name; None before set-up."""
    try:
        return current_page(context["request"])
    except Http404:
        return None
