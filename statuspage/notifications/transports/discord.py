from typing import Any, ClassVar

from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import MARKDOWN
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http import Call, HttpTransport, json_call

MAX_TEXT = 3500
MAX_TITLE = 256


class DiscordTransport(HttpTransport):
    """Webhooks of a channel. 401 and 404: the webhook was deleted."""

    gone: ClassVar[frozenset[int]] = frozenset({401, 404, 410})
    asks: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Webhook URL", "From the channel's integrations, like https://discord.com/api/webhooks/…"),
    }

    def message(self, bulletin: ChatMessage) -> Any:
        return {
            "allowed_mentions": {"parse": []},
            "embeds": [
                {
                    "title": MARKDOWN.title(bulletin.headline, limit=MAX_TITLE),
                    "url": bulletin.url,
                    "color": bulletin.colour,
                    "description": MARKDOWN.render(bulletin.body_html, limit=MAX_TEXT),
                    "fields": _fields(bulletin),
                    "footer": {"text": bulletin.page.name},
                    "timestamp": bulletin.posted_at.isoformat(timespec="seconds"),
                }
            ],
        }

    def call(self, composed: Any, delivery: Delivery) -> Call:
        return json_call(delivery.subscriber.endpoint, composed)


def _fields(bulletin: ChatMessage) -> list[dict[str, str]]:
    if not bulletin.affected:
        return []
    return [{"name": "Affected", "value": MARKDOWN.text(bulletin.affected.partition(": ")[2])[:1000]}]
