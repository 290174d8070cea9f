"""Self-service webhooks: added, confirmed by email, verified, and managed with a signed link. Without cookies."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from incidents.models import Page
from statuspage.accounts import ratelimit
from statuspage.common.email_addresses import readable_email
from statuspage.common.signing import BadToken
from statuspage.common.urls import current_page
from statuspage.notifications.endpoint_messages import challenge
from statuspage.notifications.models import Delivery
from statuspage.subscribers.endpoints import rotate_secret, show_secret
from statuspage.subscribers.forms import WebhookForm
from statuspage.subscribers.links import (
    WEBHOOK_CONFIRM,
    WEBHOOK_MANAGE,
    RevokedLink,
    manage_url,
    subscriber_of,
    subscriber_to_confirm,
)
from statuspage.subscribers.models import Subscriber, SubscriberState
from statuspage.subscribers.preferences import preferences_of, scope_labels, set_preferences
from statuspage.subscribers.sign_up import request_webhook
from statuspage.subscribers.views import (
    HOUR,
    is_within_rate_limit,
    link_problem,
    links_reset,
    offered_components,
    preferences_form,
    public_form,
    revoked_link,
)

CHALLENGES_PER_HOUR = 10
# Verification requests to one host, whoever requests them: the owner of a webhook need not be the owner of its host.
CHALLENGES_PER_HOST = 60
DELIVERIES_SHOWN = 20


@public_form
def webhook(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    form = WebhookForm(request.POST if request.method == "POST" else None, page=page, offered=offered_components(page))
    if request.method != "POST":
        return _rendered("webhook/subscribe.html", page, form=form)
    if form.is_from_bot:
        return _rendered("webhook/sent.html", page, email=request.POST.get("email", "")[:254])
    if not form.is_valid():
        return _rendered("webhook/subscribe.html", page, form=form, status=400)
    if not is_within_rate_limit(request, form.cleaned_data["email"]):
        form.add_error("email", _("Too many requests from your network in the last hour. Try again later."))
        response = _rendered("webhook/subscribe.html", page, form=form, status=429)
        response["Retry-After"] = str(ratelimit.retry_after(HOUR))
        return response
    request_webhook(
        page, form.cleaned_data["endpoint"], form.cleaned_data["email"], preferences=form.cleaned_preferences()
    )
    return _rendered("webhook/sent.html", page, email=readable_email(form.cleaned_data["email"]))


@public_form
def confirm_webhook(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows a button, because mail gateways open every link. POST sends the verification request."""
    try:
        subscriber = subscriber_to_confirm(token, purpose=WEBHOOK_CONFIRM)
    except RevokedLink as error:
        return revoked_link(request, error.subscriber)
    except BadToken as error:
        return link_problem(request, error)
    is_limited = request.method == "POST" and not _challenge(subscriber)
    is_unconfirmed = subscriber.state in (SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED)
    manage = "" if is_unconfirmed else manage_url(subscriber)
    preferences = preferences_of(subscriber)
    return _rendered(
        "webhook/confirm.html",
        subscriber.page,
        subscriber=subscriber,
        preferences=preferences,
        scope=scope_labels(preferences),
        manage_url=manage,
        is_limited=is_limited,
        status=429 if is_limited else 200,
    )


@public_form
def manage_webhook(request: HttpRequest, token: str) -> HttpResponse:
    try:
        subscriber = subscriber_of(WEBHOOK_MANAGE, token)
    except RevokedLink as error:
        return revoked_link(request, error.subscriber)
    except BadToken as error:
        return link_problem(request, error)
    action, secret, is_limited = request.POST.get("action", ""), "", False
    if action == "reset_links" and subscriber.email:
        return links_reset(subscriber)
    form = preferences_form(subscriber, request.POST if action == "save" else None)
    if action == "unsubscribe":
        subscriber.unsubscribe()
    elif action == "challenge":
        is_limited = not _challenge(subscriber)
    elif action == "secret":
        secret = show_secret(subscriber)
    elif action == "rotate":
        secret = rotate_secret(subscriber)
    elif form.is_valid():
        set_preferences(subscriber, form.cleaned_preferences())
        form = preferences_form(subscriber)
    deliveries = list(Delivery.objects.to_endpoint(subscriber)[:DELIVERIES_SHOWN])
    return _rendered(
        "webhook/manage.html",
        subscriber.page,
        subscriber=subscriber,
        form=form,
        action=action,
        secret=secret,
        deliveries=deliveries,
        is_limited=is_limited,
        status=429 if is_limited else 400 if form.errors else 200,
    )


def _challenge(subscriber: Subscriber) -> bool:
    """Queue the verification request. False if the webhook or its host has received too many in the last hour."""
    if subscriber.is_active:
        return True
    host = sha256((urlsplit(subscriber.endpoint).hostname or "").encode()).hexdigest()[:32]
    is_allowed = ratelimit.allow(f"challenge:{subscriber.public_id}", CHALLENGES_PER_HOUR, HOUR) and ratelimit.allow(
        f"challenge:host:{host}", CHALLENGES_PER_HOST, HOUR
    )
    if is_allowed:
        challenge(subscriber)
    return is_allowed


def _rendered(template: str, page: Page, *, status: int = 200, **context: object) -> HttpResponse:
    """Render without the request, so that no template can access the session."""
    text = render_to_string(f"subscribers/{template}", {"page": page, "form": None, **context})
    response = HttpResponse(text, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
