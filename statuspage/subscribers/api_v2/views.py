"""The subscribers of Statuspage's public API v2 (contract section 1.6).

The rules of the form apply: one email per day and address, the same rate limits, and responses that do not reveal
whether an address is known. Anyone can learn an id by submitting an address, so a DELETE with an id only sends an email
with the unsubscribe link.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from incidents import clock
from incidents.models import Page
from incidents.statuspage_json import Json
from statuspage.accounts import ratelimit
from statuspage.common.json_responses import for_any_origin, json_not_found, json_response, v2_serializer
from statuspage.common.signing import derived_id
from statuspage.common.urls import current_page
from statuspage.subscribers.api_v2.fields import INCIDENT, Fields, InvalidBody, build_form, read_fields, values_of
from statuspage.subscribers.forms import SubscribeForm, WebhookForm
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.sign_up import request_subscription, request_webhook
from statuspage.subscribers.views import HOUR, is_within_rate_limit

View = Callable[..., HttpResponse]


def for_programs(*methods: str) -> Callable[[View], View]:
    """Allow requests from any origin, uncached and exempt from CSRF checks: there are no cookies to protect."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @never_cache
        @wraps(view)
        def response(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "OPTIONS":
                return _preflight(methods)
            if request.method not in methods:
                return _method_not_allowed(methods)
            return view(request, *args, **kwargs)

        return response

    return decorate


@for_programs("POST", "DELETE")
def subscribers(request: HttpRequest) -> HttpResponse:
    """POST subscribes an address or a webhook; DELETE takes a `subscriber[id]`."""
    try:
        fields = read_fields(request)
    except InvalidBody as error:
        return json_response({"error": str(error), "message": str(error)}, status=400)
    if request.method == "DELETE":
        return _request_unsubscribe(request, fields.get("id") or "")
    if fields.get("phone_number"):
        return _validation_error({"phone_number": ["Phone numbers are not supported. Subscribe an email address."]})
    return _subscribe_webhook(request, fields) if fields.get("endpoint") else _subscribe_email(request, fields)


@for_programs("DELETE")
def subscriber(request: HttpRequest, public_id: str) -> HttpResponse:
    return _request_unsubscribe(request, public_id)


@for_programs("POST")
def resend(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send the confirmation email again, at most once a day."""
    page = current_page(request)
    subscriber = _subscriber(page, public_id)
    if not is_within_rate_limit(request, subscriber.email if subscriber else ""):
        return _rate_limited()
    if subscriber is None:
        return json_not_found()
    request_subscription(page, subscriber.email)
    return _subscriber_response(page, id=subscriber.public_id, mode="email", status=201)


def _subscribe_email(request: HttpRequest, fields: Fields) -> HttpResponse:
    page = current_page(request)
    form = build_form(page, fields, SubscribeForm)
    if not form.is_valid():
        return _validation_error(form.errors.get_json_data())
    if not is_within_rate_limit(request, form.cleaned_data["email"]):
        return _rate_limited()
    email = form.cleaned_data["email"]
    request_subscription(page, email, preferences=form.cleaned_preferences())
    subscriber = Subscriber.objects.by_email(page, email)
    incident = next(iter(values_of(fields, INCIDENT)), None)
    return _subscriber_response(
        page, id=subscriber.public_id if subscriber else "", email=email, incident=incident, status=201
    )


def _subscribe_webhook(request: HttpRequest, fields: Fields) -> HttpResponse:
    page = current_page(request)
    form = build_form(page, fields, WebhookForm)
    if not form.is_valid():
        return _validation_error(form.errors.get_json_data())
    if not is_within_rate_limit(request, form.cleaned_data["email"]):
        return _rate_limited()
    endpoint, email = form.cleaned_data["endpoint"], form.cleaned_data["email"]
    request_webhook(page, endpoint, email, preferences=form.cleaned_preferences())
    public_id = derived_id("webhook-subscription", page.public_id, endpoint, email)[:12]
    return _subscriber_response(page, id=public_id, email=email, endpoint=endpoint, mode="webhook", status=201)


def _request_unsubscribe(request: HttpRequest, public_id: str) -> HttpResponse:
    """Send an active subscriber an email with the unsubscribe link."""
    page = current_page(request)
    subscriber = _subscriber(page, public_id)
    if not is_within_rate_limit(request, subscriber.email if subscriber else ""):
        return _rate_limited()
    if subscriber is None:
        return json_not_found()
    if subscriber.is_active:
        request_subscription(page, subscriber.email)
    return _subscriber_response(page, id=subscriber.public_id)


def _subscriber(page: Page, public_id: str) -> Subscriber | None:
    subscriber = Subscriber.objects.by_public_id(public_id.replace("\0", ""))
    return subscriber if subscriber and subscriber.page_id == page.pk and subscriber.channel == Channel.EMAIL else None


def _subscriber_response(
    page: Page,
    *,
    id: str,  # noqa: A002 - Statuspage's name
    email: str | None = None,
    endpoint: str | None = None,
    mode: str = "email",
    incident: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """`created_at` is always now, so that it does not reveal known addresses."""
    serializer = v2_serializer(page)
    subscriber: Json = {"id": id, "email": email, "mode": mode, "created_at": serializer.time(clock.now())}
    subscriber |= {"quarantined_at": None, "incident": incident}
    subscriber |= {"skip_confirmation_notification": False, "purge_at": None}
    subscriber |= {"endpoint": endpoint} if endpoint else {}
    return json_response({"page": serializer.page_object(), "subscriber": subscriber}, status=status)


def _validation_error(errors: dict[str, Any]) -> HttpResponse:
    """Return the errors: `error` by field, `message` all of them as one line."""
    messages = {
        name: [error["message"] if isinstance(error, dict) else error for error in field_errors]
        for name, field_errors in errors.items()
    }
    line = " ".join(f"{name}: {sentence}" for name, sentences in messages.items() for sentence in sentences)
    return json_response({"error": messages, "message": line}, status=422)


def _rate_limited() -> HttpResponse:
    text = "Too many requests from your network in the last hour. Try again later."
    response = json_response({"error": text, "message": text}, status=429)
    response["Retry-After"] = str(ratelimit.retry_after(HOUR))
    return response


def _preflight(methods: tuple[str, ...]) -> HttpResponse:
    """Respond to the CORS preflight of a DELETE."""
    response = for_any_origin(HttpResponse(status=204))
    response["Access-Control-Allow-Methods"] = ", ".join(methods)
    response["Access-Control-Allow-Headers"] = "Content-Type"
    return response


def _method_not_allowed(methods: tuple[str, ...]) -> HttpResponse:
    text = f"Use {' or '.join(methods)} here."
    response = json_response({"error": "method not allowed", "message": text}, status=405)
    response["Allow"] = ", ".join(methods)
    return response
