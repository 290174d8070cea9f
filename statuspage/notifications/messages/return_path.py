"""The signed return path (VERP): a mail's envelope sender says, to us alone, which delivery a report is about."""

import json
import re
from collections.abc import Iterable

from django.conf import settings

from statuspage.common.signing import BadToken, open_number
from statuspage.notifications.models import Delivery, MailTest

# What `seal_number` makes tokens for: the row's number in the one table or the other.
DELIVERY = "returnpath.delivery"
MAIL_TEST = "returnpath.mailtest"

_TOKEN = re.compile(r"\+([a-z2-7]{24})@", re.IGNORECASE)
# What providers give back with each report, for their own return path takes the place of ours. `%s` is our token.
_PROVIDER_HEADERS = {
    "brevo": ("X-Mailin-custom", {"candor": "%s"}),
    "mailgun": ("X-Mailgun-Variables", {"candor": "%s"}),
    "mailjet": ("X-MJ-EventPayload", {"candor": "%s"}),
    "postmark": ("X-PM-Metadata-candor", "%s"),
    "sparkpost": ("X-MSYS-API", {"metadata": {"candor": "%s"}}),
}
METADATA_KEY = "candor"


def return_path(token: str) -> str:
    """`bounce+<token>@…`; empty if there is no BOUNCE_ADDRESS."""
    local, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{token}@{domain}" if local else ""


def provider_headers(token: str) -> dict[str, str]:
    """The header that makes EMAIL_PROVIDER's reports give `token` back; none without a provider."""
    if settings.EMAIL_PROVIDER not in _PROVIDER_HEADERS:
        return {}
    name, value = _PROVIDER_HEADERS[settings.EMAIL_PROVIDER]
    return {name: token if isinstance(value, str) else json.dumps(value).replace("%s", token)}


def tokens_in(texts: Iterable[str]) -> list[str]:
    """All that look like one of ours, each once, in order."""
    return list(dict.fromkeys(found.lower() for text in texts for found in _TOKEN.findall(text)))


def row_of(tokens: Iterable[str]) -> Delivery | MailTest | None:
    """What the first token of ours names. None if none was made here, or its row is gone."""
    for token in tokens:
        if number := _number(DELIVERY, token):
            return Delivery.objects.filter(pk=number).first()
        if number := _number(MAIL_TEST, token):
            return MailTest.objects.filter(pk=number).first()
    return None


def _number(purpose: str, token: str) -> int:
    """0, which no row has, if the token is not of that purpose."""
    try:
        return open_number(purpose, token)
    except BadToken:
        return 0
