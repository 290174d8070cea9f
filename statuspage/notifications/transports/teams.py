from typing import Any, ClassVar

from statuspage.notifications.messages.chat import AMBER, BLUE, GRAY, GREEN, ORANGE, RED, ChatMessage
from statuspage.notifications.messages.chat_markup import CARD
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest, json_request

MAX_TEXT = 5000
# The styles of Adaptive Cards.
_STYLES = {GREEN: "good", BLUE: "accent", AMBER: "warning", ORANGE: "warning", RED: "attention", GRAY: "emphasis"}


class TeamsTransport(HttpTransport):
    """A workflow “When a Teams webhook request is received”, which posts the card."""

    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Workflow URL", "From the Workflows app in Teams. Example: https://….logic.azure.com/workflows/…"),
    }

    def render(self, message: ChatMessage) -> Any:
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "fallbackText": CARD.text(message.headline),
            "body": [
                {
                    "type": "Container",
                    "style": _STYLES[message.color],
                    "bleed": True,
                    "items": [_text(CARD.text(message.headline), size="Medium", weight="Bolder")],
                },
                *(_text(block) for block in CARD.render(message.body_html, limit=MAX_TEXT).split("\n\n") if block),
                *([_text(CARD.text(message.affected), isSubtle=True)] if message.affected else []),
                _text(CARD.text(f"{message.page.name} · {message.posted}"), isSubtle=True, size="Small"),
            ],
            "actions": [{"type": "Action.OpenUrl", "title": "Read details", "url": message.url}],
        }
        return {
            "type": "message",
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
        }

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        return json_request(delivery.subscriber.endpoint, composed)


def _text(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}
