from typing import Any, ClassVar

from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import MARKDOWN, without_mentions
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest, json_request

MAX_TEXT = 6000


class MattermostTransport(HttpTransport):
    """Incoming webhooks of Mattermost and of Rocket.Chat, which take the same attachments."""

    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Incoming webhook", "From the integrations. Example: https://chat.example.com/hooks/…"),
    }

    def render(self, message: ChatMessage) -> Any:
        return {
            "attachments": [
                {
                    "fallback": without_mentions(message.headline),
                    "color": message.color,
                    "title": without_mentions(message.headline),
                    "title_link": message.url,
                    "text": MARKDOWN.render(message.body_html, limit=MAX_TEXT),
                    "fields": _fields(message),
                    "footer": without_mentions(f"{message.page.name} · {message.posted}"),
                }
            ]
        }

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        return json_request(delivery.subscriber.endpoint, composed)


def _fields(message: ChatMessage) -> list[dict[str, Any]]:
    if not message.affected:
        return []
    return [{"short": False, "title": "Affected", "value": MARKDOWN.text(message.affected.partition(": ")[2])}]
