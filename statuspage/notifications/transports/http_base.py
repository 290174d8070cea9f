"""The base of all channels over HTTP: one request per message, and the meaning of its response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from incidents import clock
from statuspage.common import outbound_http
from statuspage.notifications.messages.chat import chat_message_of
from statuspage.notifications.messages.email import one_line
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.transports.base import Transport, TransportError
from statuspage.subscribers.addresses import web_address
from statuspage.subscribers.models import Subscriber

# Nine retries after the first attempt, over three days: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
# The longest `Retry-After` that is respected.
LONGEST_PAUSE = timedelta(hours=1)
MAX_EXCERPT = 200


@dataclass(frozen=True)
class OutboundRequest:
    """One POST request; `body` is sent unchanged."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def json_request(url: str, body: Any, **headers: str) -> OutboundRequest:
    return OutboundRequest(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


class HttpTransport(Transport):
    """A subclass defines the content of a message (`render`) and its request (`build_request`)."""

    concurrency: ClassVar[int] = 32
    retry_after: ClassVar[tuple[timedelta, ...]] = RETRY_AFTER
    # Response statuses that mean that the endpoint no longer exists.
    gone_statuses: ClassVar[frozenset[int]] = frozenset({404, 410})
    # The form fields of the channel: label and help text. Without "secret" the channel has no secret.
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {}

    @classmethod
    def clean_endpoint(cls, endpoint: str, secret: str) -> tuple[str, str]:
        """Return the endpoint and the secret as they are stored. ValidationError for `endpoint` or `secret`."""
        return web_address(endpoint), ""

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        raise NotImplementedError

    def compose(self, delivery: Delivery, notification: Notification | None) -> Any:
        return self.render(chat_message_of(delivery, notification))

    def render(self, message: Any) -> Any:
        raise NotImplementedError

    def retry_delays(self, delivery: Delivery) -> tuple[timedelta, ...]:
        """A test message is sent once, because someone is waiting for the result."""
        return () if delivery.kind == DeliveryKind.TEST else self.retry_after

    def send(self, composed: Any, delivery: Delivery) -> None:
        request = self.build_request(composed, delivery)
        try:
            response = outbound_http.post(request.url, body=request.body, headers=request.headers)
        except outbound_http.OutboundError as error:
            raise TransportError(str(error)) from error
        self.check_response(response, delivery)

    def check_response(self, response: outbound_http.Response, delivery: Delivery) -> None:
        if 200 <= response.status < 300:
            return
        text = f"{response.status} {excerpt(response.body)}".strip()
        if 300 <= response.status < 400:
            raise TransportError(f"{response.status}: redirects are not followed. Enter the final URL.")
        after = retry_after(response) if response.status in (429, 503) else None
        raise TransportError(text, permanent=response.status in self.gone_statuses, after=after)


def excerpt(body: bytes) -> str:
    """Return the beginning of a response body as one line."""
    return one_line(body[: 4 * MAX_EXCERPT].decode("utf-8", "replace"))[:MAX_EXCERPT]


def retry_after(response: outbound_http.Response) -> timedelta | None:
    """Parse the Retry-After header (RFC 9110 section 10.2.3). None if it is missing or invalid."""
    text = response.headers.get("retry-after", "").strip()
    try:
        delay = timedelta(seconds=float(text)) if text[:1].isdigit() else parsedate_to_datetime(text) - clock.now()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(timedelta(), min(delay, LONGEST_PAUSE))


def token_of(subscriber: Subscriber) -> dict[str, str]:
    return {"Authorization": f"Bearer {subscriber.secret}"} if subscriber.secret else {}
