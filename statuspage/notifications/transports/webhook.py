"""Webhooks with the payload of Statuspage (contract section 4.1) and the signature of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import timedelta
from typing import Any, ClassVar

from incidents import clock
from statuspage.common import outbound_http
from statuspage.common.signing import derived_id, stable_id
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.email import message_key
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.messages.webhook import sample_payload, webhook_payload
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.transports.base import TransportError
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest
from statuspage.subscribers.links import unsubscribe_url
from statuspage.subscribers.models import Subscriber

CHALLENGE_WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300))


class WebhookTransport(HttpTransport):
    gone_statuses: ClassVar[frozenset[int]] = frozenset({410})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Webhook URL", "Receives POST requests. Example: https://example.com/hooks/status"),
        "email": ("Owner's email address", "Optional. Receives an email if the webhook keeps failing and is disabled."),
    }

    def compose(self, delivery: Delivery, notification: Notification | None) -> tuple[bytes, bytes]:
        """Return the body and the random gap in it for the subscriber's own link."""
        page, gap = delivery.subscriber.page, secrets.token_hex(16)
        if delivery.kind == DeliveryKind.CHALLENGE:
            body: Any = {"type": "endpoint.challenge", "challenge": gap, "page": absolute_url(page, "/")}
        elif notification:
            body = webhook_payload(notification, unsubscribe=gap)
        else:
            body = sample_payload(page, unsubscribe=gap)
        return json.dumps(body).encode(), gap.encode()

    def build_request(self, composed: tuple[bytes, bytes], delivery: Delivery) -> OutboundRequest:
        body, gap = composed
        is_challenge = delivery.kind == DeliveryKind.CHALLENGE
        value = challenge_token(delivery) if is_challenge else unsubscribe_url(delivery.subscriber)
        body = body.replace(gap, value.encode())
        headers = {"Content-Type": "application/json"} | signature_headers(delivery, body)
        return OutboundRequest(delivery.subscriber.endpoint, body, headers)

    def retry_delays(self, delivery: Delivery) -> tuple[timedelta, ...]:
        return CHALLENGE_WAITS if delivery.kind == DeliveryKind.CHALLENGE else super().retry_delays(delivery)

    def check_response(self, response: outbound_http.Response, delivery: Delivery) -> None:
        super().check_response(response, delivery)
        if delivery.kind == DeliveryKind.CHALLENGE and not echoes(response.body, challenge_token(delivery)):
            raise TransportError("The endpoint responded without the value of the verification request.")


def challenge_token(delivery: Delivery) -> str:
    return stable_id("challenge", delivery.key, delivery.subscriber.public_id)


def echoes(body: bytes, token: str) -> bool:
    """Return whether a response is the token alone, or JSON with the token as its `challenge`.

    An echo of the whole request is not enough: a server that mirrors every request has not agreed to anything.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict):
        value = value.get("challenge") if "type" not in value else None
    return isinstance(value, str) and hmac.compare_digest(value.encode(), token.encode())


def signature_headers(delivery: Delivery, body: bytes) -> dict[str, str]:
    """Return the headers of Standard Webhooks 1.0: the id of the message and the time of this attempt."""
    message_id = f"msg_{derived_id('webhook', *message_key(delivery))}"
    at = int(time.time())
    signed = f"{message_id}.{at}.".encode() + body
    signatures = [f"v1,{sign(secret, signed)}" for secret in valid_secrets(delivery.subscriber)]
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def valid_secrets(subscriber: Subscriber) -> list[str]:
    """Return the current secret and, for a limited time after a rotation, the previous one."""
    until = subscriber.old_secret_until
    old = [subscriber.old_secret] if subscriber.old_secret and until and until > clock.now() else []
    return [subscriber.secret, *old]


def sign(secret: str, signed: bytes) -> str:
    if not secret:
        # Anyone could produce a signature with an empty secret.
        raise TransportError("The webhook has no secret for the signature.", permanent=True)
    key = base64.b64decode(secret.partition("_")[2])
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
