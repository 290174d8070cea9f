from typing import Any, ClassVar

from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import SLACK
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest, json_request

MAX_TEXT = 2900
MAX_TITLE = 300


class SlackTransport(HttpTransport):
    """Incoming webhooks. 403 and 404: the app was removed, 410: the channel is archived."""

    gone_statuses: ClassVar[frozenset[int]] = frozenset({403, 404, 410})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": (
            "Incoming webhook",
            "From the settings of your Slack app. Example: https://hooks.slack.com/services/…",
        ),
    }

    def render(self, message: ChatMessage) -> Any:
        title = SLACK.title(message.headline, limit=MAX_TITLE)
        return {
            # The text of push notifications; the attachment has the color.
            "text": f"{title} - {SLACK.text(message.page.name)}",
            "unfurl_links": False,
            "attachments": [
                {
                    "color": message.color,
                    "blocks": [
                        _section(f"*<{message.url}|{title}>*"),
                        *([_section(text)] if (text := SLACK.render(message.body_html, limit=MAX_TEXT)) else []),
                        {"type": "context", "elements": [_mrkdwn(part) for part in _footer_lines(message)]},
                    ],
                }
            ],
        }

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        return json_request(delivery.subscriber.endpoint, composed)


def _footer_lines(message: ChatMessage) -> list[str]:
    affected = SLACK.text(message.affected)[:1000]
    return [*([affected] if affected else []), SLACK.text(f"{message.page.name} · {message.posted}")]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}
