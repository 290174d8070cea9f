from typing import Any, ClassVar

from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import SLACK
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http import Call, HttpTransport, json_call

MAX_TEXT = 2900
MAX_TITLE = 300


class SlackTransport(HttpTransport):
    """Incoming webhooks. 403 and 404: the app was removed, 410: the channel is archived."""

    gone: ClassVar[frozenset[int]] = frozenset({403, 404, 410})
    asks: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Incoming webhook", "From Slack's app settings, like https://hooks.slack.com/services/…"),
    }

    def message(self, bulletin: ChatMessage) -> Any:
        title = SLACK.title(bulletin.headline, limit=MAX_TITLE)
        return {
            # What notifications on a phone show; the attachment carries the colour.
            "text": f"{title} - {SLACK.text(bulletin.page.name)}",
            "unfurl_links": False,
            "attachments": [
                {
                    "color": bulletin.tone,
                    "blocks": [
                        _section(f"*<{bulletin.url}|{title}>*"),
                        *([_section(text)] if (text := SLACK.render(bulletin.body_html, limit=MAX_TEXT)) else []),
                        {"type": "context", "elements": [_mrkdwn(part) for part in _small_print(bulletin)]},
                    ],
                }
            ],
        }

    def call(self, composed: Any, delivery: Delivery) -> Call:
        return json_call(delivery.subscriber.endpoint, composed)


def _small_print(bulletin: ChatMessage) -> list[str]:
    affected = SLACK.text(bulletin.affected)[:1000]
    return [*([affected] if affected else []), SLACK.text(f"{bulletin.page.name} · {bulletin.posted}")]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}
