from typing import Any, ClassVar

from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import MARKDOWN, harmless
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http import Call, HttpTransport, json_call

MAX_TEXT = 6000


class MattermostTransport(HttpTransport):
    """Incoming webhooks of Mattermost and of Rocket.Chat, which take the same attachments."""

    asks: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Incoming webhook", "From the integrations, like https://chat.example.com/hooks/…"),
    }

    def message(self, bulletin: ChatMessage) -> Any:
        return {
            "attachments": [
                {
                    "fallback": harmless(bulletin.headline),
                    "color": bulletin.tone,
                    "title": harmless(bulletin.headline),
                    "title_link": bulletin.url,
                    "text": MARKDOWN.render(bulletin.body_html, limit=MAX_TEXT),
                    "fields": _fields(bulletin),
                    "footer": harmless(f"{bulletin.page.name} · {bulletin.posted}"),
                }
            ]
        }

    def call(self, composed: Any, delivery: Delivery) -> Call:
        return json_call(delivery.subscriber.endpoint, composed)


def _fields(bulletin: ChatMessage) -> list[dict[str, Any]]:
    if not bulletin.affected:
        return []
    return [{"short": False, "title": "Affected", "value": MARKDOWN.text(bulletin.affected.partition(": ")[2])}]
