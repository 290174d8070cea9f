from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from statuspage.notifications.messages.chat import AMBER, BLUE, GRAY, GREEN, ORANGE, RED, ChatMessage
from statuspage.notifications.messages.chat_markup import PLAIN, without_mentions
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest, json_request, token_of
from statuspage.subscribers.addresses import web_address

# ntfy turns longer messages into attachments.
MAX_TEXT = 3000
# The emoji shortcodes of ntfy: messages have no color.
_TAGS = {
    GREEN: "white_check_mark",
    BLUE: "large_blue_circle",
    AMBER: "warning",
    ORANGE: "orange_circle",
    RED: "rotating_light",
    GRAY: "memo",
}
_HIGH, _DEFAULT = 4, 3


class NtfyTransport(HttpTransport):
    """A topic of ntfy.sh or of a self-hosted server, over the JSON API."""

    gone_statuses: ClassVar[frozenset[int]] = frozenset({401, 403, 404, 410})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Topic", "The URL of the topic. Example: https://ntfy.sh/acme-status"),
        "secret": ("Access token", "Optional, for a protected topic. Example: tk_…"),
    }

    @classmethod
    def clean_endpoint(cls, endpoint: str, secret: str) -> tuple[str, str]:
        endpoint = web_address(endpoint)
        address, topic = _parts(endpoint)
        if not topic:
            raise ValidationError({"endpoint": f"Enter the URL with the topic. Example: {address}/your-topic"})
        if not secret.strip().isprintable() or " " in secret.strip() or not secret.isascii():
            raise ValidationError({"secret": "Enter a valid access token. Example: tk_…"})
        return endpoint, secret.strip()

    def render(self, message: ChatMessage) -> Any:
        text = PLAIN.render(message.body_html, limit=MAX_TEXT)
        return {
            "title": without_mentions(message.headline),
            "message": "\n\n".join(part for part in (text, message.affected) if part),
            "tags": [_TAGS[message.color]],
            "priority": _HIGH if message.color in (RED, ORANGE) else _DEFAULT,
            "click": message.url,
        }

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        address, topic = _parts(delivery.subscriber.endpoint)
        return json_request(f"{address}/", {"topic": topic, **composed}, **token_of(delivery.subscriber))


def _parts(endpoint: str) -> tuple[str, str]:
    """Return the URL of the server and the topic."""
    parts = urlsplit(endpoint)
    folder, _, topic = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{folder}", topic
