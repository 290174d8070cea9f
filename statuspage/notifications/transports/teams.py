from typing import Any, ClassVar

from statuspage.notifications.messages.chat import AMBER, BLUE, GREEN, GREY, ORANGE, RED, ChatMessage
from statuspage.notifications.messages.chat_markup import CARD
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.http import Call, HttpTransport, json_call

MAX_TEXT = 5000
# Cards know no colours but these.
_STYLES = {GREEN: "good", BLUE: "accent", AMBER: "warning", ORANGE: "warning", RED: "attention", GREY: "emphasis"}


class TeamsTransport(HttpTransport):
    """A workflow “When a Teams webhook request is received”, which posts the card that it gets."""

    asks: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Workflow URL", "From Teams' Workflows app, like https://….logic.azure.com/workflows/…"),
    }

    def message(self, bulletin: ChatMessage) -> Any:
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "fallbackText": CARD.text(bulletin.headline),
            "body": [
                {
                    "type": "Container",
                    "style": _STYLES[bulletin.tone],
                    "bleed": True,
                    "items": [_text(CARD.text(bulletin.headline), size="Medium", weight="Bolder")],
                },
                *(_text(block) for block in CARD.render(bulletin.body_html, limit=MAX_TEXT).split("\n\n") if block),
                *([_text(CARD.text(bulletin.affected), isSubtle=True)] if bulletin.affected else []),
                _text(CARD.text(f"{bulletin.page.name} · {bulletin.posted}"), isSubtle=True, size="Small"),
            ],
            "actions": [{"type": "Action.OpenUrl", "title": "Read details", "url": bulletin.url}],
        }
        return {
            "type": "message",
            "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
        }

    def call(self, composed: Any, delivery: Delivery) -> Call:
        return json_call(delivery.subscriber.endpoint, composed)


def _text(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}
