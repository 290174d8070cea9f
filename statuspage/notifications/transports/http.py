"""What all channels share that are called over HTTP: one request per message, and what its answer means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError

from statuspage.common import http
from statuspage.notifications.messages.chat import chat_message_of
from statuspage.notifications.messages.email import one_line
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.transports.base import Transport, TransportError
from statuspage.subscribers.models import Subscriber

# 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: with the first attempt ten, over three days.
RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400))
# A `Retry-After` is honoured up to here.
LONGEST_PAUSE = timedelta(hours=1)
MAX_EXCERPT = 200


@dataclass(frozen=True)
class OutboundRequest:
    """One POST. `body` is sent as it is."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def json_request(url: str, body: Any, **headers: str) -> OutboundRequest:
    return OutboundRequest(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})


class HttpTransport(Transport):
    """A channel says how a message looks (`render`) and where it goes (`build_request`)."""

    concurrency: ClassVar[int] = 32
    retry_after: ClassVar[tuple[timedelta, ...]] = RETRY_AFTER
    # Answers that mean: never again.
    gone_statuses: ClassVar[frozenset[int]] = frozenset({404, 410})
    # What staff types, by form field: its label and hint. Without "secret" there is none.
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {}

    @classmethod
    def clean_endpoint(cls, endpoint: str, secret: str) -> tuple[str, str]:
        """What staff typed, as it is kept. ValidationError with `endpoint` or `secret` named."""
        return web_address(endpoint), ""

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        raise NotImplementedError

    def compose(self, delivery: Delivery, notification: Notification | None) -> Any:
        return self.render(chat_message_of(delivery, notification))

    def render(self, message: Any) -> Any:
        raise NotImplementedError

    def retry_delays(self, delivery: Delivery) -> tuple[timedelta, ...]:
        """Somebody waits for the answer to a test: it is tried once."""
        return () if delivery.kind == DeliveryKind.TEST else self.retry_after

    def send(self, composed: Any, delivery: Delivery) -> None:
        request = self.build_request(composed, delivery)
        try:
            response = http.post(request.url, body=request.body, headers=request.headers)
        except http.OutboundError as error:
            raise TransportError(str(error)) from error
        self.check_response(response, delivery)

    def check_response(self, response: http.Response, delivery: Delivery) -> None:
        if 200 <= response.status < 300:
            return
        words = f"{response.status} {excerpt(response.body)}".strip()
        if 300 <= response.status < 400:
            raise TransportError(
                f"{response.status}: a redirect, which is not followed. Give the final address instead."
            )
        after = retry_after(response) if response.status in (429, 503) else None
        raise TransportError(words, permanent=response.status in self.gone_statuses, after=after)


def web_address(endpoint: str) -> str:
    try:
        return http.normalize_url(endpoint.strip())
    except http.ForbiddenAddress as error:
        raise ValidationError({"endpoint": str(error)}) from None


def excerpt(body: bytes) -> str:
    """The beginning of an answer, on one line, for people."""
    return one_line(body[: 4 * MAX_EXCERPT].decode("utf-8", "replace"))[:MAX_EXCERPT]


def retry_after(response: http.Response) -> timedelta | None:
    """RFC 9110 section 10.2.3: seconds or a date. None if there is none to be understood."""
    text = response.headers.get("retry-after", "").strip()
    try:
        wanted = (
            timedelta(seconds=float(text)) if text[:1].isdigit() else parsedate_to_datetime(text) - datetime.now(UTC)
        )
    except (ValueError, TypeError, OverflowError):
        return None
    return max(timedelta(), min(wanted, LONGEST_PAUSE))


def token_of(subscriber: Subscriber) -> dict[str, str]:
    return {"Authorization": f"Bearer {subscriber.secret}"} if subscriber.secret else {}
