"""Views to subscribe, confirm, manage and unsubscribe. Without cookies and sessions: visitors are not tracked."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.models import Incident, Page
from incidents.models.components import ComponentQuerySet
from incidents.visibility import Viewer
from statuspage.accounts import ratelimit
from statuspage.common.client_ip import client_network
from statuspage.common.email_addresses import readable_email
from statuspage.common.signing import BadToken, ExpiredToken
from statuspage.common.urls import current_page
from statuspage.subscribers.forms import PreferencesForm, SubscribeForm
from statuspage.subscribers.links import (
    MANAGE,
    UNSUBSCRIBE,
    RevokedLink,
    manage_url,
    subscriber_of,
    subscriber_to_confirm,
)
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.preferences import Preferences, preferences_of, scope_labels, set_preferences
from statuspage.subscribers.sign_up import request_subscription, reset_links, send_new_link

View = Callable[..., HttpResponse]
HOUR = 3600
# They create mailboxes for everybody, but have no mailbox that receives all addresses of the domain.
LARGE_PROVIDERS = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "ymail.com"),
        *("icloud.com", "me.com", "mac.com", "aol.com", "proton.me", "protonmail.com", "gmx.com", "gmx.de", "gmx.net"),
        *("web.de", "t-online.de", "mail.ru", "yandex.ru", "qq.com", "163.com"),
    }
)


def public_form(view: View) -> View:
    """A public form view: never cached and exempt from CSRF checks.

    There is no cookie that another site could exploit, and the one-click POST of mail clients (RFC 8058) has no token.
    """
    return require_http_methods(["GET", "HEAD", "POST"])(never_cache(csrf_exempt(view)))


@public_form
def subscribe(request: HttpRequest) -> HttpResponse:
    """Subscribe to the page, to parts of it, or (`?incident=`) to one incident."""
    page = current_page(request)
    incident = _requested_incident(request, page)
    preferences = Preferences(whole_page=False, incidents=(incident,)) if incident else Preferences()
    data = request.POST if request.method == "POST" else None
    form = SubscribeForm(data, page=page, offered=offered_components(page), preferences=preferences)
    if request.method != "POST":
        return _rendered("subscribe.html", page, form=form, incident=incident)
    if form.is_from_bot:
        return _rendered("subscribe_sent.html", page, email=request.POST.get("email", "")[:254])
    if not form.is_valid():
        return _rendered("subscribe.html", page, form=form, incident=incident, status=400)
    if not is_within_rate_limit(request, form.cleaned_data["email"]):
        form.add_error("email", _("Too many requests from your network in the last hour. Try again later."))
        response = _rendered("subscribe.html", page, form=form, incident=incident, status=429)
        response["Retry-After"] = str(ratelimit.retry_after(HOUR))
        return response
    request_subscription(page, form.cleaned_data["email"], preferences=form.cleaned_preferences())
    return _rendered("subscribe_sent.html", page, email=readable_email(form.cleaned_data["email"]))


@public_form
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows a button, because mail gateways open every link."""
    try:
        subscriber = subscriber_to_confirm(token)
    except RevokedLink as error:
        return revoked_link(request, error.subscriber)
    except BadToken as error:
        return link_problem(request, error)
    if request.method == "POST":
        subscriber.confirm()
    preferences = preferences_of(subscriber)
    # The holder of this link receives the emails of the address, so they may also manage it.
    manage_link = manage_url(subscriber) if subscriber.is_active else ""
    return _rendered(
        "confirm.html",
        subscriber.page,
        subscriber=subscriber,
        preferences=preferences,
        scope=scope_labels(preferences),
        manage_url=manage_link,
    )


@public_form
def manage(request: HttpRequest, token: str) -> HttpResponse:
    try:
        subscriber = subscriber_of(MANAGE, token)
    except RevokedLink as error:
        return revoked_link(request, error.subscriber)
    except BadToken as error:
        return link_problem(request, error)
    action = request.POST.get("action", "")
    if action == "reset_links":
        return links_reset(subscriber)
    form = preferences_form(subscriber, request.POST if action == "save" else None)
    if action == "unsubscribe":
        subscriber.unsubscribe()
    elif action == "subscribe":
        request_subscription(subscriber.page, subscriber.email)
    elif form.is_valid():
        set_preferences(subscriber, form.cleaned_preferences())
        form = preferences_form(subscriber)
    status = 400 if form.errors else 200
    return _rendered("manage.html", subscriber.page, subscriber=subscriber, action=action, form=form, status=status)


@public_form
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """The page of the unsubscribe link, and the target of List-Unsubscribe-Post: any POST unsubscribes."""
    try:
        subscriber = subscriber_of(UNSUBSCRIBE, token)
    except BadToken as error:
        return link_problem(request, error)
    if request.method == "POST":
        subscriber.unsubscribe()
    return _rendered("unsubscribe.html", subscriber.page, subscriber=subscriber)


def _requested_incident(request: HttpRequest, page: Page) -> Incident | None:
    public_id = request.POST.get("incident") or request.GET.get("incident")
    if not public_id:
        return None
    return get_object_or_404(page.incidents.visible_to(Viewer.PUBLIC), public_id=public_id)


def offered_components(page: Page) -> ComponentQuerySet:
    return page.components.visible_to(Viewer.PUBLIC).in_page_order()


def preferences_form(subscriber: Subscriber, data: QueryDict | None = None) -> PreferencesForm:
    page = subscriber.page
    open_incidents = page.incidents.visible_to(Viewer.PUBLIC).not_ended().newest_first()
    return PreferencesForm(
        data,
        page=page,
        offered=offered_components(page),
        open_incidents=open_incidents,
        preferences=preferences_of(subscriber),
    )


def is_within_rate_limit(request: HttpRequest, email: str) -> bool:
    """Count per visitor first, so that one visitor cannot use up a limit that others share. `email` is canonical."""
    limits = [
        (f"subscribe:{client_network(request)}", settings.SUBSCRIBE_LIMIT_PER_IP),
        (_domain_limit_key(email), settings.SUBSCRIBE_LIMIT_PER_DOMAIN),
        ("subscribe", settings.SUBSCRIBE_LIMIT_GLOBAL),
    ]
    return all(ratelimit.allow(key, limit, HOUR) for key, limit in limits if key)


def _domain_limit_key(email: str) -> str:
    """Return the key of the limit per domain: a domain can have a mailbox that receives all of its addresses."""
    domain = email.rpartition("@")[2]
    return (
        ""
        if not domain or domain in LARGE_PROVIDERS
        else f"subscribe:domain:{sha256(domain.encode()).hexdigest()[:32]}"
    )


def link_problem(request: HttpRequest, error: BadToken) -> HttpResponse:
    expired = isinstance(error, ExpiredToken)
    return _rendered("link_problem.html", current_page(request), expired=expired, status=410 if expired else 404)


def revoked_link(request: HttpRequest, subscriber: Subscriber) -> HttpResponse:
    """A link that was reset: offer an email with the new one. Shows nothing about the subscriber."""
    if request.method != "POST":
        return _rendered("links_reset.html", subscriber.page, state="revoked", status=410)
    if not is_within_rate_limit(request, subscriber.email):
        return _rendered("links_reset.html", subscriber.page, state="limited", status=429)
    send_new_link(subscriber)
    return _rendered("links_reset.html", subscriber.page, state="sent")


def links_reset(subscriber: Subscriber) -> HttpResponse:
    reset_links(subscriber)
    return _rendered("links_reset.html", subscriber.page, state="reset")


def _rendered(
    template: str,
    page: Page,
    *,
    status: int = 200,
    form: PreferencesForm | None = None,
    subscriber: Subscriber | None = None,
    **more: object,
) -> HttpResponse:
    """Render without the request, so that no template can access the session."""
    context = {"page": page, "form": form, "subscriber": subscriber} | more
    response = HttpResponse(render_to_string(f"subscribers/{template}", context), status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
