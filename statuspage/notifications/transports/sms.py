import base64
import re
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError

from statuspage.common import outbound_http
from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import PLAIN
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import ChannelDown
from statuspage.notifications.transports.http_base import HttpTransport, OutboundRequest, excerpt
from statuspage.subscribers.addresses import as_number

# Two text messages: 160 characters each, or 70 with characters outside the GSM alphabet.
MAX_TEXT, MAX_UNICODE_TEXT = 306, 134
_GSM_ALPHABET = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


class SmsTransport(HttpTransport):
    """A gateway with the form fields of Twilio: To, From, Body. 400: the number cannot be reached."""

    concurrency: ClassVar[int] = 4
    gone_statuses: ClassVar[frozenset[int]] = frozenset({400})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Phone number", "With its country code. Example: +4915112345678. The owner must have agreed."),
    }

    @classmethod
    def clean_endpoint(cls, endpoint: str, secret: str) -> tuple[str, str]:
        if not settings.SMS_GATEWAY_URL:
            raise ValidationError({"endpoint": "No SMS gateway is configured. Set SMS_GATEWAY_URL and restart."})
        return as_number(endpoint), ""

    def render(self, message: ChatMessage) -> str:
        """Return page name, headline, the beginning of the text and the link, which is never shortened."""
        start = f"{message.page.name}: {message.headline}"
        body = " ".join(PLAIN.render(message.body_html, limit=MAX_TEXT).split())
        limit = MAX_TEXT if _GSM_ALPHABET.fullmatch(start + body) else MAX_UNICODE_TEXT
        room = max(0, limit - len(message.url) - 1)
        text = f"{start}. {body}" if body else start
        return f"{text if len(text) <= room else text[: max(0, room - 3)].rstrip() + '...'} {message.url}"

    def build_request(self, composed: str, delivery: Delivery) -> OutboundRequest:
        form = {"To": delivery.subscriber.endpoint, "From": settings.SMS_FROM, "Body": composed}
        user = f"{settings.SMS_GATEWAY_USER}:{settings.SMS_GATEWAY_PASSWORD}"
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": f"Basic {base64.b64encode(user.encode()).decode()}",
        }
        return OutboundRequest(settings.SMS_GATEWAY_URL, urlencode(form).encode(), headers)

    def send(self, composed: Any, delivery: Delivery) -> None:
        """Send through the gateway. If it cannot be used, the channel is paused and no number is marked."""
        if not settings.SMS_GATEWAY_URL:
            raise ChannelDown("No SMS gateway is configured (SMS_GATEWAY_URL).")
        request = self.build_request(composed, delivery)
        try:
            response = outbound_http.post(request.url, body=request.body, headers=request.headers)
        except outbound_http.OutboundError as error:
            raise ChannelDown(f"The SMS gateway cannot be reached: {error}") from error
        if response.status in (401, 402, 403, 404):
            raise ChannelDown(f"The SMS gateway refused the request: {response.status} {excerpt(response.body)}")
        self.check_response(response, delivery)
