"""Webhooks of mail providers for bounces and complaints, parsed by django-anymail (an optional dependency)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.module_loading import import_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from statuspage.notifications.bounces import bounces
from statuspage.notifications.bounces.dsn import BounceReport
from statuspage.notifications.bounces.inbound import apply_report
from statuspage.notifications.messages.email import one_line
from statuspage.notifications.messages.return_path import METADATA_KEY, row_of
from statuspage.notifications.models import BounceKind, Delivery
from statuspage.notifications.transports.smtp.status_codes import bounce_kind_of, find_status

# By EMAIL_PROVIDER. Only providers whose reports include a header of the email (return_path.provider_headers).
_PARSERS = {
    "brevo": "anymail.webhooks.brevo.BrevoTrackingWebhookView",
    "mailgun": "anymail.webhooks.mailgun.MailgunTrackingWebhookView",
    "mailjet": "anymail.webhooks.mailjet.MailjetTrackingWebhookView",
    "postmark": "anymail.webhooks.postmark.PostmarkTrackingWebhookView",
    "sparkpost": "anymail.webhooks.sparkpost.SparkPostTrackingWebhookView",
}
# Anymail's reject reasons, used if the report has no status of the other server.
_REASONS = {
    "invalid": BounceKind.HARD,
    "bounced": BounceKind.HARD,
    "timed_out": BounceKind.SOFT,
    "spam": BounceKind.POLICY,
    "blocked": BounceKind.POLICY,
}


@csrf_exempt
@require_http_methods(["POST", "HEAD"])
def provider_webhook(request: HttpRequest, provider: str) -> HttpResponse:
    """Process the events of a request that is signed with ANYMAIL_WEBHOOK_SECRET. 404 unless `provider` is in use."""
    if not settings.ANYMAIL_WEBHOOK_SECRET or provider != settings.EMAIL_PROVIDER:
        raise Http404
    if request.method == "HEAD":
        return HttpResponse()  # some providers check that the URL exists when it is set up
    try:
        events = _events(request, provider)
    except SuspiciousOperation:
        return HttpResponse("The signature is missing or invalid.", status=403, content_type="text/plain")
    except (ImproperlyConfigured, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return HttpResponse("This is not a valid event of this provider.", status=400, content_type="text/plain")
    for event in events:
        process_event(event)
    return HttpResponse(status=204)


def process_event(event: Any) -> str:
    """Process one AnymailTrackingEvent. Return the outcome, without addresses."""
    token = event.metadata.get(METADATA_KEY) if isinstance(event.metadata, dict) else None
    tokens = [token] if isinstance(token, str) else []
    if "unsubscribed" in (event.event_type, event.reject_reason):
        row = row_of(tokens)
        return bounces.unsubscribe_by_provider(row) if isinstance(row, Delivery) else "ignored: no token of an email"
    return apply_report(_report(event), tokens)


def _events(request: HttpRequest, provider: str) -> list[Any]:
    secrets = {"webhook_secret": settings.ANYMAIL_WEBHOOK_SECRET, "webhook_signing_key": settings.ANYMAIL_SIGNING_KEY}
    parser = import_string(_PARSERS[provider])(**secrets)
    parser.run_validators(request)
    events: list[Any] = parser.parse_events(request)
    return events


def _report(event: Any) -> BounceReport:
    message = one_line(str(event.mta_response or event.description or ""))[:500]
    kind = _kind(event, find_status(message))
    return BounceReport(
        [], kind, find_status(message), message, ignored="" if kind else f"event of type {event.event_type}"
    )


def _kind(event: Any, status: str) -> BounceKind | None:
    if event.event_type == "complained":
        return BounceKind.COMPLAINT
    if event.event_type not in ("bounced", "rejected"):
        return None
    if _is_soft(event.esp_event):
        return BounceKind.SOFT
    if status and not status.endswith(".0.0"):
        return bounce_kind_of(status)
    return _REASONS.get(event.reject_reason or "", BounceKind.SOFT)


def _is_soft(raw: Any) -> bool:
    """Return whether the provider calls it soft. Anymail uses the same name for soft and hard bounces."""
    event = raw if isinstance(raw, dict) else {}
    names = f"{event.get('event', '')} {event.get('Type', '')}".lower()
    return "soft" in names or event.get("hard_bounce") is False
