"""Checks of the addresses that a channel sends to."""

import re

from django.core.exceptions import ValidationError

from statuspage.common import outbound_http

_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def web_address(endpoint: str) -> str:
    """Return a web address that may be called. ValidationError for `endpoint` otherwise."""
    try:
        return outbound_http.normalize_url(endpoint.strip())
    except outbound_http.ForbiddenAddress as error:
        raise ValidationError({"endpoint": str(error)}) from None


def as_number(text: str) -> str:
    """Return a telephone number in the format of SMS gateways (E.164). ValidationError without a country code."""
    number = re.sub(r"[ ().-]", "", text)
    if not _NUMBER.fullmatch(number):
        raise ValidationError({"endpoint": "Enter a phone number with its country code. Example: +4915112345678."})
    return number
