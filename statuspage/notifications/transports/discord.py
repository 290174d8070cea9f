from typing import Any, ClassVar

from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import MARKDOWN
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest, json_request

MAX_TEXT = 3500
MAX_TITLE = 256


class DiscordTransport(HttpTransport):
    """Discord webhooks. 401 and 404: the webhook was deleted."""

    gone_statuses: ClassVar[frozenset[int]] = frozenset({401, 404, 410})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Webhook URL", "From the channel's integrations. Example: https://discord.com/api/webhooks/…"),
    }

    def render(self, message: ChatMessage) -> Any:
        return {
            "allowed_mentions": {"parse": []},
            "embeds": [
                {
                    "title": MARKDOWN.title(message.headline, limit=MAX_TITLE),
                    "url": message.url,
                    "color": message.color_number,
                    "description": MARKDOWN.render(message.body_html, limit=MAX_TEXT),
                    "fields": _fields(message),
                    "footer": {"text": message.page.name},
                    "timestamp": message.posted_at.isoformat(timespec="seconds"),
                }
            ],
        }

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        return json_request(delivery.subscriber.endpoint, composed)


def _fields(message: ChatMessage) -> list[dict[str, str]]:
    if not message.affected:
        return []
    return [{"name": "Affected", "value": MARKDOWN.text(message.affected.partition(": ")[2])[:1000]}]
