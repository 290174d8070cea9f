"""Signing up a webhook oneself: typed, confirmed by mail, challenged, and managed by a signed link. No cookie."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from incidents.models import Page
from statuspage.accounts import ratelimit
from statuspage.common.signing import BadToken
from statuspage.common.urls import current_page
from statuspage.notifications import endpoints
from statuspage.notifications.models import Delivery
from statuspage.subscribers.forms import WebhookForm
from statuspage.subscribers.links import (
    WEBHOOK_CONFIRM,
    WEBHOOK_MANAGE,
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
    offered_components,
    preferences_form,
    public_form,
)

CHALLENGES_PER_HOUR = 10
DELIVERIES_SHOWN = 20


@public_form
def webhook(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    form = WebhookForm(request.POST if request.method == "POST" else None, page=page, offered=offered_components(page))
    if request.method != "POST":
        return _rendered("webhook/subscribe.html", page, form=form)
    if form.is_from_a_program:
        return _rendered("webhook/sent.html", page, email=request.POST.get("email", "")[:254])
    if not form.is_valid():
        return _rendered("webhook/subscribe.html", page, form=form, status=400)
    if not is_within_rate_limit(request):
        form.add_error("email", "Too many people have asked from here in the last hour. Please try again later.")
        response = _rendered("webhook/subscribe.html", page, form=form, status=429)
        response["Retry-After"] = str(ratelimit.retry_after(HOUR))
        return response
    request_webhook(
        page, form.cleaned_data["endpoint"], form.cleaned_data["email"], preferences=form.cleaned_preferences()
    )
    return _rendered("webhook/sent.html", page, email=form.cleaned_data["email"])


@public_form
def confirm_webhook(request: HttpRequest, token: str) -> HttpResponse:
    """GET only shows a button: mail gateways open every link. After the POST, the rest is on the page to manage it."""
    try:
        subscriber = subscriber_to_confirm(token, purpose=WEBHOOK_CONFIRM)
    except BadToken as error:
        return link_problem(request, error)
    if request.method == "POST":
        _challenge(subscriber)
    is_asked = subscriber.state in (SubscriberState.PENDING, SubscriberState.UNSUBSCRIBED)
    manage = "" if is_asked else manage_url(subscriber)
    preferences = preferences_of(subscriber)
    return _rendered(
        "webhook/confirm.html",
        subscriber.page,
        subscriber=subscriber,
        preferences=preferences,
        scope=scope_labels(preferences),
        manage_url=manage,
    )


@public_form
def manage_webhook(request: HttpRequest, token: str) -> HttpResponse:
    try:
        subscriber = subscriber_of(WEBHOOK_MANAGE, token)
    except BadToken as error:
        return link_problem(request, error)
    asked, secret = request.POST.get("action", ""), ""
    form = preferences_form(subscriber, request.POST if asked == "save" else None)
    if asked == "unsubscribe":
        subscriber.unsubscribe()
    elif asked == "challenge":
        _challenge(subscriber)
    elif asked == "secret":
        secret = endpoints.show_secret(subscriber)
    elif asked == "rotate":
        secret = endpoints.rotate_secret(subscriber)
    elif form.is_valid():
        set_preferences(subscriber, form.cleaned_preferences())
        form = preferences_form(subscriber)
    deliveries = list(Delivery.objects.to_endpoint(subscriber)[:DELIVERIES_SHOWN])
    return _rendered(
        "webhook/manage.html",
        subscriber.page,
        subscriber=subscriber,
        form=form,
        asked=asked,
        secret=secret,
        deliveries=deliveries,
        status=400 if form.errors else 200,
    )


def _challenge(subscriber: Subscriber) -> None:
    if not subscriber.is_active and ratelimit.allow(f"challenge:{subscriber.public_id}", CHALLENGES_PER_HOUR, HOUR):
        endpoints.challenge(subscriber)


def _rendered(template: str, page: Page, *, status: int = 200, **context: object) -> HttpResponse:
    """Rendered without the request, so that no template can touch the session."""
    text = render_to_string(f"subscribers/{template}", {"page": page, "form": None, **context})
    response = HttpResponse(text, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
