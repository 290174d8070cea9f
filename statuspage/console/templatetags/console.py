from datetime import tzinfo
from typing import Any

from django import template
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from incidents import clock
from incidents.models import Incident, Page
from incidents.text import markdown
from incidents.text.time_shorthand import Clock
from statuspage.accounts.models import Role, User
from statuspage.common.urls import absolute_url, console_url
from statuspage.console import navigation
from statuspage.console.system_notices import notice_groups

register = template.Library()


@register.simple_tag(name="console_url", takes_context=True)
def page_url(context: dict[str, Any], name: str, *args: object) -> str:
    """`{% console_url 'incident' incident.public_id %}`: the console URL of that name, for the request's page."""
    return console_url(context["request"].page, name, *args)


@register.simple_tag(name="public_url", takes_context=True)
def page_public_url(context: dict[str, Any], name: str, *args: object) -> str:
    """`{% public_url 'incident' incident.public_id %}`: the public URL of that name, on the page's domain."""
    page: Page = context["request"].page
    path = reverse(f"public:{name}", args=args)
    return absolute_url(page, path) if page.domain else path


@register.filter
def as_markdown(text: str, at: Clock | tzinfo | None = None) -> SafeString:
    """Render Markdown, or its errors. `at` gives the day of times like `@14:14`; a zone means today."""
    shorthand = Clock(at, clock.now()) if isinstance(at, tzinfo) else at
    try:
        return markdown.render(text, clock=shorthand)
    except ValidationError as error:
        return format_html_join("", '<p class="error">{}</p>', ([message] for message in error.messages))


@register.filter
def described(field: BoundField) -> Any:
    """Render the field's widget, with aria attributes for its hint and errors."""
    described_by = [f"{field.auto_id}_hint"] if field.help_text else []
    attributes: dict[str, str | bool] = {}
    if field.errors:
        described_by.append(f"{field.auto_id}_error")
        attributes["aria-invalid"] = "true"
    if described_by:
        attributes["aria-describedby"] = " ".join(described_by)
    return field.as_widget(attrs=attributes)


def _newest(page: Page) -> Incident | None:
    return page.incidents.unresolved().newest_first().first()


@register.inclusion_tag("console/_nav.html", takes_context=True)
def console_nav(context: dict[str, Any]) -> dict[str, Any]:
    """`{% console_nav %}`: the navigation bar of the signed-in person."""
    request = context["request"]
    if not isinstance(request.user, User):
        return {}
    page = request.page
    return {
        "request": request,
        # The dashboard has read the newest incident already.
        "newest": context["newest"] if "newest" in context else _newest(page),
        "can_edit": request.user.has_role(Role.EDITOR),
        "daily": navigation.links(page, navigation.DAILY, request.user, request.path),
        "more": navigation.links(page, navigation.MORE, request.user, request.path),
    }


@register.inclusion_tag("console/_system_notices.html", takes_context=True)
def system_notices(context: dict[str, Any]) -> dict[str, Any]:
    """`{% system_notices %}`: what does not work, for the signed-in person."""
    request = context["request"]
    if not hasattr(request, "page") or not isinstance(request.user, User):
        return {}
    return {"groups": notice_groups(request.page, request.user)}
