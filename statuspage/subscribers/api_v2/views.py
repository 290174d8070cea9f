"""Signing up by a program: the subscribers of Statuspage's public API v2 (contract section 1.6).

The same promises as the form's: one mail a day per address, the same limits, and an answer that does not tell whether
the address is known. Everybody can learn an id by typing an address, so an id alone ends nothing: it has a mail sent
that holds the link to do so.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from incidents.models import Page
from incidents.statuspage_json import Json
from statuspage.accounts import ratelimit
from statuspage.common.json_responses import for_any_origin, json_not_found, json_response, v2_serializer
from statuspage.common.signing import stable_id
from statuspage.common.urls import current_page
from statuspage.subscribers.api_v2.fields import INCIDENT, Fields, Unreadable, every, form_of, read_fields
from statuspage.subscribers.forms import SubscribeForm, WebhookForm
from statuspage.subscribers.models import Channel, Subscriber
from statuspage.subscribers.models.subscribers import normalise
from statuspage.subscribers.sign_up import request_subscription, request_webhook
from statuspage.subscribers.views import HOUR, is_within_rate_limit

View = Callable[..., HttpResponse]


def with_api_fields(*methods: str) -> Callable[[View], View]:
    """For scripts of any origin, never kept, without cookies: there is nothing to protect from foreign pages."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method == "OPTIONS":
                return _preflight(methods)
            if request.method not in methods:
                return _wrong_method(methods)
            return view(request, *args, **kwargs)

        return answer

    return decorate


@with_api_fields("POST", "DELETE")
def subscribers(request: HttpRequest) -> HttpResponse:
    """POST subscribes an address or a webhook; DELETE names a `subscriber[id]`."""
    try:
        fields = read_fields(request)
    except Unreadable as error:
        return json_response({"error": str(error), "message": str(error)}, status=400)
    if request.method == "DELETE":
        return _ask_to_leave(request, fields.get("id") or "")
    if fields.get("phone_number"):
        return _refused({"phone_number": ["This page takes no telephone numbers here. Subscribe an e-mail address."]})
    return _subscribe_webhook(request, fields) if fields.get("endpoint") else _subscribe_email(request, fields)


@with_api_fields("DELETE")
def subscriber(request: HttpRequest, code: str) -> HttpResponse:
    return _ask_to_leave(request, code)


@with_api_fields("POST")
def resend(request: HttpRequest, code: str) -> HttpResponse:
    """The mail that asks to confirm, once more; at most one a day."""
    if not is_within_rate_limit(request):
        return _too_many()
    page = current_page(request)
    found = _subscriber(page, code)
    if found is None:
        return json_not_found()
    request_subscription(page, found.email)
    return _told(page, id=found.public_id, mode="email", status=201)


def _subscribe_email(request: HttpRequest, fields: Fields) -> HttpResponse:
    page = current_page(request)
    form = form_of(page, fields, SubscribeForm)
    if not form.is_valid():
        return _refused(form.errors.get_json_data())
    if not is_within_rate_limit(request):
        return _too_many()
    email = form.cleaned_data["email"]
    request_subscription(page, email, preferences=form.cleaned_preferences())
    known = Subscriber.objects.by_email(page, email)
    incident = next(iter(every(fields, INCIDENT)), None)
    return _told(page, id=known.public_id if known else "", email=normalise(email), incident=incident, status=201)


def _subscribe_webhook(request: HttpRequest, fields: Fields) -> HttpResponse:
    page = current_page(request)
    form = form_of(page, fields, WebhookForm)
    if not form.is_valid():
        return _refused(form.errors.get_json_data())
    if not is_within_rate_limit(request):
        return _too_many()
    endpoint, email = form.cleaned_data["endpoint"], form.cleaned_data["email"]
    request_webhook(page, endpoint, email, preferences=form.cleaned_preferences())
    code = stable_id("webhook-subscription", page.pk, endpoint, normalise(email))[:12]
    return _told(page, id=code, email=normalise(email), endpoint=endpoint, mode="webhook", status=201)


def _ask_to_leave(request: HttpRequest, code: str) -> HttpResponse:
    """Who is subscribed gets a mail with the link that ends it."""
    if not is_within_rate_limit(request):
        return _too_many()
    page = current_page(request)
    found = _subscriber(page, code)
    if found is None:
        return json_not_found()
    if found.is_active:
        request_subscription(page, found.email)
    return _told(page, id=found.public_id)


def _subscriber(page: Page, code: str) -> Subscriber | None:
    found = Subscriber.objects.by_public_id(code.replace("\0", ""))
    return found if found and found.page_id == page.pk and found.channel == Channel.EMAIL else None


def _told(
    page: Page,
    *,
    id: str,  # noqa: A002 - Statuspage's name
    email: str | None = None,
    endpoint: str | None = None,
    mode: str = "email",
    incident: str | None = None,
    status: int = 200,
) -> HttpResponse:
    """`created_at` is now, for the known and the unknown alike."""
    serializer = v2_serializer(page)
    subscriber: Json = {"id": id, "email": email, "mode": mode, "created_at": serializer.time(timezone.now())}
    subscriber |= {"quarantined_at": None, "incident": incident}
    subscriber |= {"skip_confirmation_notification": False, "purge_at": None}
    subscriber |= {"endpoint": endpoint} if endpoint else {}
    return json_response({"page": serializer.page_object(), "subscriber": subscriber}, status=status)


def _refused(errors: dict[str, Any]) -> HttpResponse:
    """`error`: each field with its sentences; `message`: all of them as one line."""
    told = {name: [one["message"] if isinstance(one, dict) else one for one in many] for name, many in errors.items()}
    line = " ".join(f"{name}: {sentence}" for name, sentences in told.items() for sentence in sentences)
    return json_response({"error": told, "message": line}, status=422)


def _too_many() -> HttpResponse:
    text = "Too many people have asked from here in the last hour. Please try again later."
    answer = json_response({"error": text, "message": text}, status=429)
    answer["Retry-After"] = str(ratelimit.retry_after(HOUR))
    return answer


def _preflight(methods: tuple[str, ...]) -> HttpResponse:
    """What a browser asks before a DELETE from elsewhere."""
    answer = for_any_origin(HttpResponse(status=204))
    answer["Access-Control-Allow-Methods"] = ", ".join(methods)
    answer["Access-Control-Allow-Headers"] = "Content-Type"
    return answer


def _wrong_method(methods: tuple[str, ...]) -> HttpResponse:
    text = f"Use {' or '.join(methods)} here."
    answer = json_response({"error": "method not allowed", "message": text}, status=405)
    answer["Allow"] = ", ".join(methods)
    return answer
