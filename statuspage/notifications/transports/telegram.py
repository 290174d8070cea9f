import json
import re
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError

from statuspage.common import outbound_http
from statuspage.notifications.messages.chat import AMBER, BLUE, GRAY, GREEN, ORANGE, RED, ChatMessage
from statuspage.notifications.messages.chat_markup import TELEGRAM
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import TransportError
from statuspage.notifications.transports.http_base import LONGEST_PAUSE, HttpTransport, OutboundRequest, json_request

MAX_TEXT = 3000
_CHAT = re.compile(r"-?\d{1,20}|@\w{5,32}", re.ASCII)
_TOKEN = re.compile(r"\d{5,20}:[\w-]{30,60}", re.ASCII)
# Messages have no color.
_DOTS = {GREEN: "🟢", BLUE: "🔵", AMBER: "🟡", ORANGE: "🟠", RED: "🔴", GRAY: "⚪"}


class TelegramTransport(HttpTransport):
    """The sendMessage method of a bot. 400, 403: unknown chat, or the bot was removed; 401, 404: invalid token."""

    gone_statuses: ClassVar[frozenset[int]] = frozenset({400, 401, 403, 404})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": (
            "Chat",
            "The id of the chat or the name of a public channel. Examples: -1001234567890, @acmestatus",
        ),
        "secret": ("Bot token", "From @BotFather. Example: 123456789:AAE…"),
    }

    @classmethod
    def clean_endpoint(cls, endpoint: str, secret: str) -> tuple[str, str]:
        errors = {}
        if not _CHAT.fullmatch(endpoint.strip()):
            errors["endpoint"] = "Enter the id of a chat or the @name of a public channel."
        if not _TOKEN.fullmatch(secret.strip()):
            errors["secret"] = "Enter a complete bot token. Example: 123456789:AAE…"  # noqa: S105
        if errors:
            raise ValidationError(errors)
        return endpoint.strip(), secret.strip()

    def render(self, message: ChatMessage) -> Any:
        link = TELEGRAM.link(TELEGRAM.text(message.headline), message.url)
        parts = [
            f"{_DOTS[message.color]} <b>{link}</b>",
            TELEGRAM.render(message.body_html, limit=MAX_TEXT),
            TELEGRAM.text(message.affected)[:500],
            f"<i>{TELEGRAM.text(f'{message.page.name} · {message.posted}')}</i>",
        ]
        text = "\n\n".join(part for part in parts if part)
        return {"text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}

    def build_request(self, composed: Any, delivery: Delivery) -> OutboundRequest:
        subscriber = delivery.subscriber
        url = f"{settings.TELEGRAM_API_URL}/bot{subscriber.secret}/sendMessage"
        return json_request(url, {"chat_id": subscriber.endpoint, **composed})

    def check_response(self, response: outbound_http.Response, delivery: Delivery) -> None:
        try:
            super().check_response(response, delivery)
        except TransportError as error:
            error.after = error.after or _retry_after_in_body(response)
            # 400 is also returned for an invalid text, which does not concern the chat.
            error.permanent = error.permanent and (response.status != 400 or "chat" in str(error).lower())
            raise


def _retry_after_in_body(response: outbound_http.Response) -> timedelta | None:
    """Telegram sends the delay in the body, not in a header."""
    try:
        return min(timedelta(seconds=int(json.loads(response.body)["parameters"]["retry_after"])), LONGEST_PAUSE)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
