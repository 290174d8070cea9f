import base64
import re
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError

from statuspage.common import http
from statuspage.notifications.messages.chat import ChatMessage
from statuspage.notifications.messages.chat_markup import PLAIN
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import ChannelDown
from statuspage.notifications.transports.http import HttpTransport, OutboundRequest, excerpt

# Two text messages of 160 characters; with letters outside their alphabet one holds 70.
MAX_TEXT, MAX_WIDE_TEXT = 306, 134
_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_NARROW = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà]*")


def as_number(text: str) -> str:
    """A telephone number as gateways want it. ValidationError if it has no country code."""
    number = re.sub(r"[ ().-]", "", text)
    if not _NUMBER.fullmatch(number):
        raise ValidationError({"endpoint": "This is not a whole number. It should look like +4915112345678."})
    return number


class SmsTransport(HttpTransport):
    """A gateway that takes forms in the shape of Twilio's: To, From, Body. 400: this number cannot be reached."""

    concurrency: ClassVar[int] = 4
    gone_statuses: ClassVar[frozenset[int]] = frozenset({400})
    form_fields: ClassVar[dict[str, tuple[str, str]]] = {
        "endpoint": ("Number", "With the country's code, like +4915112345678. Whoever owns it must have agreed."),
    }

    @classmethod
    def clean_endpoint(cls, endpoint: str, secret: str) -> tuple[str, str]:
        if not settings.SMS_GATEWAY_URL:
            raise ValidationError({"endpoint": "There is no SMS gateway yet: set SMS_GATEWAY_URL and restart."})
        return as_number(endpoint), ""

    def render(self, message: ChatMessage) -> str:
        """Whose page, what, the beginning of the text, and where to read on: the link is never cut."""
        start = f"{message.page.name}: {message.headline}"
        words = " ".join(PLAIN.render(message.body_html, limit=MAX_TEXT).split())
        limit = MAX_TEXT if _NARROW.fullmatch(start + words) else MAX_WIDE_TEXT
        room = max(0, limit - len(message.url) - 1)
        text = f"{start}. {words}" if words else start
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
        """The gateway is ours, so when it cannot be used, the channel rests and no number is to blame."""
        if not settings.SMS_GATEWAY_URL:
            raise ChannelDown("No SMS gateway is set (SMS_GATEWAY_URL).")
        request = self.build_request(composed, delivery)
        try:
            response = http.post(request.url, body=request.body, headers=request.headers)
        except http.OutboundError as error:
            raise ChannelDown(f"The SMS gateway cannot be reached: {error}") from error
        if response.status in (401, 402, 403, 404):
            raise ChannelDown(f"The SMS gateway refused us: {response.status} {excerpt(response.body)}")
        self.check_response(response, delivery)
