"""Email addresses: one canonical form for every purpose, the form that people read, and the key for limits.

The canonical form has the domain as A-labels (RFC 5890) without a trailing dot, and the rest in lower case and Unicode
NFC. Two addresses are the same recipient if their canonical forms are equal.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import email_validator
import idna
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3
INVALID = _("Enter a complete email address. Example: ada@example.com")

# Private installations use names such as status@team.local and owner@localhost.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

# Domains of one provider, by the name that stands for all of them.
_SAME_PROVIDER = {"googlemail.com": "gmail.com", "protonmail.com": "proton.me", "pm.me": "proton.me"}
# Providers whose mailbox names contain no hyphen: it separates a tag, or is ignored.
_HYPHEN_TAGS = frozenset({"yahoo.com", "ymail.com", "rocketmail.com"})
_IGNORED_CHARACTERS = {"proton.me": "-_"}


def clean_email(text: str) -> str:
    """Return the canonical form. Local parts beyond ASCII (RFC 6531) are accepted. ValidationError if it is invalid."""
    text = text.strip()
    try:
        parts = email_validator.validate_email(
            text.removesuffix("."), check_deliverability=False, globally_deliverable=False, strict=True
        )
    except email_validator.EmailNotValidError as error:
        raise ValidationError(INVALID, code="invalid") from error
    domain = parts.ascii_domain
    if ("." not in domain and domain != "localhost") or domain.rpartition(".")[2].isdigit():
        raise ValidationError(INVALID, code="invalid")
    address = f"{_folded(parts.local_part)}@{domain}"
    if len(address) > MAX_LENGTH:
        raise ValidationError(_("An email address has at most 254 characters."), code="max_length")
    return address


def normalize_email(text: str) -> str:
    """Return the canonical form, or for an invalid address its lower case: for lookups, which then find nothing."""
    try:
        return clean_email(text)
    except ValidationError:
        return text.strip().lower()


def readable_email(address: str) -> str:
    """Return `address` with its domain in Unicode, for display. The result has the same canonical form."""
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    try:
        return f"{local}{at}{idna.decode(domain)}"
    except idna.IDNAError:
        return address


def ascii_domain(domain: str) -> str:
    """Return `domain` as A-labels (RFC 5891). ValueError if it has none."""
    if domain.isascii():
        return domain
    return idna.encode(domain, uts46=True).decode()


def searchable_email(text: str) -> str:
    """Return a part of an address as it occurs in canonical forms, to search for it."""
    local, at, domain = text.strip().lower().rpartition("@")
    try:
        return f"{_folded(local)}{at}{ascii_domain(domain)}"
    except ValueError:
        return unicodedata.normalize("NFC", text)


def mailbox_key(address: str) -> str:
    """Return a key that all usual spellings of one mailbox share, for limits only: never to identify a recipient.

    Ignores dots and everything from "+" on in the local part, whatever the domain: that some recipients share a limit
    does less harm than many emails to one of them. `address` is canonical.
    """
    local, _at, domain = address.rpartition("@")
    domain = _SAME_PROVIDER.get(domain, domain)
    local = unicodedata.normalize("NFKC", local).casefold().partition("+")[0].replace(".", "")
    if domain in _HYPHEN_TAGS:
        local = local.partition("-")[0]
    for character in _IGNORED_CHARACTERS.get(domain, ""):
        local = local.replace(character, "")
    return f"{local}@{domain}"[:MAX_LENGTH]


def _folded(local: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).lower())


class EmailField(forms.EmailField):
    """Cleans to the canonical form, with the same messages on every form."""

    def __init__(self, **more: Any) -> None:
        messages = {
            "required": _("Enter an email address."),
            "invalid": INVALID,
            "max_length": _("An email address has at most 254 characters."),
        }
        super().__init__(max_length=MAX_LENGTH, **{"error_messages": messages} | more)
        self.validators.remove(validate_email)  # `clean_email` accepts more

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        return clean_email(text) if text else text
