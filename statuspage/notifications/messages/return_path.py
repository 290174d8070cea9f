"""The signed return path (VERP): the envelope sender of an email identifies the delivery that a bounce belongs to."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress

from django.conf import settings

from statuspage.common.signing import BadToken, sign_number, verify_number
from statuspage.notifications.models import Delivery, MailTest

# The purposes of the tokens: the row id in the table of deliveries or of mail tests.
DELIVERY = "returnpath.delivery"
MAIL_TEST = "returnpath.mailtest"

_TOKEN = re.compile(r"\+([a-z2-7]{24})@", re.IGNORECASE)
# Headers that providers return with each report, because they replace our return path. `%s` is our token.
_PROVIDER_HEADERS = {
    "brevo": ("X-Mailin-custom", {"candor": "%s"}),
    "mailgun": ("X-Mailgun-Variables", {"candor": "%s"}),
    "mailjet": ("X-MJ-EventPayload", {"candor": "%s"}),
    "postmark": ("X-PM-Metadata-candor", "%s"),
    "sparkpost": ("X-MSYS-API", {"metadata": {"candor": "%s"}}),
}
METADATA_KEY = "candor"


def delivery_token(delivery: Delivery) -> str:
    """Return the token of `delivery`. It is bound to the event, so that a bounce of an email that a restored backup
    does not contain never counts against the delivery that got the same row id since."""
    return sign_number(DELIVERY, delivery.pk, about=_key_of(delivery))


def _key_of(delivery: Delivery) -> str:
    return delivery.event.public_key if delivery.event else delivery.key


def return_path(token: str) -> str:
    """Return `bounce+<token>@…`, or an empty string without BOUNCE_ADDRESS."""
    local, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{token}@{domain}" if local else ""


def provider_headers(token: str) -> dict[str, str]:
    """Return the header that makes the reports of EMAIL_PROVIDER include `token`; empty without a provider."""
    if settings.EMAIL_PROVIDER not in _PROVIDER_HEADERS:
        return {}
    name, value = _PROVIDER_HEADERS[settings.EMAIL_PROVIDER]
    return {name: token if isinstance(value, str) else json.dumps(value).replace("%s", token)}


def tokens_in(texts: Iterable[str]) -> list[str]:
    """Return all strings that look like a token, without duplicates, in order."""
    return list(dict.fromkeys(token.lower() for text in texts for token in _TOKEN.findall(text)))


def row_of(tokens: Iterable[str]) -> Delivery | MailTest | None:
    """Return the row of the first valid token. None without a valid token, or if the row was deleted."""
    for token in tokens:
        if delivery := _delivery_of(token):
            return delivery
        with suppress(BadToken):
            return MailTest.objects.filter(pk=verify_number(MAIL_TEST, token)).first()
    return None


def _delivery_of(token: str) -> Delivery | None:
    deliveries: list[Delivery] = []

    def key_of(number: int) -> str:
        deliveries[:] = Delivery.objects.select_related("event").filter(pk=number)
        return _key_of(deliveries[0]) if deliveries else ""

    with suppress(BadToken):
        verify_number(DELIVERY, token, about=key_of)
        return deliveries[0] if deliveries else None
    return None
