from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from statuspage.notifications.messages.chat import AMBER, BLUE, GREEN, GREY, ORANGE, RED, ChatMessage
from statuspage.notifications.messages.chat_markup import PLAIN, harmless
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http import Call, HttpTransport, json_call, token_of
from statuspage.subscribers.addresses import web_address

# ntfy turns longer messages into attachments.
MAX_TEXT = 3000
# ntfy's short codes for emoji: messages have no colour.
_TAGS = {
    GREEN: "white_check_mark",
    BLUE: "large_blue_circle",
    AMBER: "warning",
    ORANGE: "orange_circle",
    RED: "rotating_light",
    GREY: "memo",
}
_HIGH, _USUAL = 4, 3


class NtfyTransport(HttpTransport):
    """A topic of ntfy.sh or of a server of one's own, over the JSON interface."""

    gone: ClassVar[frozenset[int]] = frozenset({401, 403, 404, 410})
    asks: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Topic", "The topic's address, like https://ntfy.sh/acme-status."),
        "secret": ("Access token", "Optional, for a topic that is protected, like tk_…"),
    }

    @classmethod
    def check(cls, endpoint: str, secret: str) -> tuple[str, str]:
        endpoint = web_address(endpoint)
        address, topic = _parts(endpoint)
        if not topic:
            raise ValidationError({"endpoint": f"The topic is missing. It should look like {address}/your-topic."})
        if not secret.strip().isprintable() or " " in secret.strip() or not secret.isascii():
            raise ValidationError({"secret": "This cannot be an access token."})
        return endpoint, secret.strip()

    def message(self, bulletin: ChatMessage) -> Any:
        text = PLAIN.render(bulletin.body_html, limit=MAX_TEXT)
        return {
            "title": harmless(bulletin.headline),
            "message": "\n\n".join(part for part in (text, bulletin.affected) if part),
            "tags": [_TAGS[bulletin.tone]],
            "priority": _HIGH if bulletin.tone in (RED, ORANGE) else _USUAL,
            "click": bulletin.url,
        }

    def call(self, composed: Any, delivery: Delivery) -> Call:
        address, topic = _parts(delivery.subscriber.endpoint)
        return json_call(f"{address}/", {"topic": topic, **composed}, **token_of(delivery.subscriber))


def _parts(endpoint: str) -> tuple[str, str]:
    """The server's address, and the topic."""
    parts = urlsplit(endpoint)
    folder, _, topic = parts.path.rstrip("/").rpartition("/")
    return f"{parts.scheme}://{parts.netloc}{folder}", topic
