"""Programs that speak Statuspage's webhooks (contract section 4.1), with the signature of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from datetime import timedelta
from typing import Any, ClassVar

from django.utils import timezone

from statuspage.common import http
from statuspage.common.signing import stable_id
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.email import message_key
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.messages.webhook import payload_of, sample_payload
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.transports.base import TransportError
from statuspage.notifications.transports.http import HttpTransport, OutboundRequest
from statuspage.subscribers.links import unsubscribe_url
from statuspage.subscribers.models import Subscriber

CHALLENGE_WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300))


class WebhookTransport(HttpTransport):
    gone_statuses: ClassVar[frozenset[int]] = frozenset({410})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Address", "Where we POST to, like https://example.com/hooks/status."),
        "email": ("Owner's e-mail", "Optional. We write there if the endpoint keeps failing and is switched off."),
    }

    def compose(self, delivery: Delivery, notification: Notification | None) -> tuple[bytes, bytes]:
        """The body, and the gap in it for the subscriber's own link. Nobody who writes a text can guess a gap."""
        page, gap = delivery.subscriber.page, secrets.token_hex(16)
        if delivery.kind == DeliveryKind.CHALLENGE:
            body: Any = {"type": "endpoint.challenge", "challenge": gap, "page": absolute_url(page, "/")}
        elif notification:
            body = payload_of(notification, unsubscribe=gap)
        else:
            body = sample_payload(page, unsubscribe=gap)
        return json.dumps(body).encode(), gap.encode()

    def build_request(self, composed: tuple[bytes, bytes], delivery: Delivery) -> OutboundRequest:
        body, gap = composed
        is_challenge = delivery.kind == DeliveryKind.CHALLENGE
        filling = challenge_token(delivery) if is_challenge else unsubscribe_url(delivery.subscriber)
        body = body.replace(gap, filling.encode())
        headers = {"Content-Type": "application/json"} | signature_headers(delivery, body)
        return OutboundRequest(delivery.subscriber.endpoint, body, headers)

    def retry_delays(self, delivery: Delivery) -> tuple[timedelta, ...]:
        return CHALLENGE_WAITS if delivery.kind == DeliveryKind.CHALLENGE else super().retry_delays(delivery)

    def check_response(self, response: http.Response, delivery: Delivery) -> None:
        super().check_response(response, delivery)
        if delivery.kind == DeliveryKind.CHALLENGE and not echoes(response.body, challenge_token(delivery)):
            raise TransportError("It answered, but not with the challenge that we had sent.")


def challenge_token(delivery: Delivery) -> str:
    return stable_id("challenge", delivery.pk, delivery.subscriber.public_id)


def echoes(body: bytes, token: str) -> bool:
    """Whether an answer is the token alone, or JSON with the token as its `challenge`. An echo of all is not enough:
    a server that mirrors whatever it gets has not agreed to anything."""
    text = body.decode("utf-8", "replace").strip()
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    if isinstance(found, dict):
        found = found.get("challenge") if "type" not in found else None
    return isinstance(found, str) and hmac.compare_digest(found.encode(), token.encode())


def signature_headers(delivery: Delivery, body: bytes) -> dict[str, str]:
    """Standard Webhooks 1.0: the id is the same at every attempt, the time is that of this one."""
    message_id = f"msg_{stable_id('webhook', *message_key(delivery))}"
    at = int(time.time())
    signed = f"{message_id}.{at}.".encode() + body
    signatures = [f"v1,{sign(secret, signed)}" for secret in valid_secrets(delivery.subscriber)]
    return {"webhook-id": message_id, "webhook-timestamp": str(at), "webhook-signature": " ".join(signatures)}


def valid_secrets(subscriber: Subscriber) -> list[str]:
    """The newest first; for a while after a rotation the one before it, too."""
    until = subscriber.old_secret_until
    old = [subscriber.old_secret] if subscriber.old_secret and until and until > timezone.now() else []
    return [subscriber.secret, *old]


def sign(secret: str, signed: bytes) -> str:
    if not secret:
        # Signed with nothing, anybody could have written it.
        raise TransportError("It has no secret to sign with.", permanent=True)
    key = base64.b64decode(secret.partition("_")[2])
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
