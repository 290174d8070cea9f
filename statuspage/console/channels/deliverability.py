"""Checks of the settings that large mailbox providers look at. Sends no DNS query."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings

from statuspage.notifications.messages.email import sender_address

_LOCAL = ("", "localhost", "localhost.localdomain")


@dataclass(frozen=True)
class Check:
    """`state` is "ok", "warning", or "look" if only the DNS or a received email can confirm it."""

    name: str
    state: str
    text: str
    record: str = ""


def checklist() -> list[Check]:
    domain = sender_address().rpartition("@")[2].lower()
    if domain in _LOCAL:
        text = (
            f"MAIL_FROM is {sender_address()}, which other mail servers do not accept. Use an address on your domain."
        )
        return [Check("Sender", "warning", text), _return_path(domain), _unsubscribing(), _log_in()]
    sender = Check("Sender", "ok", f"Emails are sent from {sender_address()}.")
    return [sender, _spf(domain), _dkim(domain), _dmarc(domain), _return_path(domain), _unsubscribing(), _log_in()]


def _spf(domain: str) -> Check:
    """SPF judges the domain of the return path (RFC 7208)."""
    where = settings.BOUNCE_ADDRESS.rpartition("@")[2] or domain
    text = f"Add a TXT record at {where} that lists your mail server. See your provider's documentation for the value:"
    return Check("SPF", "look", text, f'{where}. TXT "v=spf1 {_spf_terms()} -all"')


def _spf_terms() -> str:
    host = settings.EMAIL_HOST if settings.EMAIL_URL else ""
    if host in _LOCAL:
        return "mx"
    try:
        address = ip_address(host)
    except ValueError:
        return f"a:{host}"
    return "mx" if address.is_loopback else f"ip{address.version}:{address}"


def _dkim(domain: str) -> Check:
    text = f"Your mail server signs emails, not Candor. Configure it to sign with d={domain}, and publish its key:"
    return Check("DKIM", "look", text, f'<selector>._domainkey.{domain}. TXT "v=DKIM1; k=rsa; p=…"')


def _dmarc(domain: str) -> Check:
    text = (
        "Applies SPF and DKIM to the From address. Start with p=none, and change it when the reports show no problems:"
    )
    return Check("DMARC", "look", text, f'_dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:postmaster@{domain}"')


def _return_path(domain: str) -> Check:
    back = settings.BOUNCE_ADDRESS.rpartition("@")[2].lower()
    if settings.EMAIL_PROVIDER and settings.ANYMAIL_WEBHOOK_SECRET:
        return Check("Bounces", "ok", f"{settings.EMAIL_PROVIDER.capitalize()} reports bounces and complaints.")
    if settings.EMAIL_PROVIDER and not back:
        text = "EMAIL_PROVIDER is set, but ANYMAIL_WEBHOOK_SECRET is not, so its reports are rejected."
        return Check("Bounces", "warning", text)
    if not back:
        text = "Bounces are not processed, so invalid addresses stay subscribed. Set BOUNCE_ADDRESS or EMAIL_PROVIDER."
        return Check("Bounces", "warning", text)
    if domain not in _LOCAL and not (f".{back}".endswith(f".{domain}") or f".{domain}".endswith(f".{back}")):
        text = f"Bounces go to {back}, but the sender is at {domain}. SPF does not count for DMARC, only DKIM does."
        return Check("Bounces", "warning", text)
    return Check("Bounces", "ok", f"Bounces go to {settings.BOUNCE_ADDRESS}, with a signed address for each email.")


def _unsubscribing() -> Check:
    if settings.SITE_URL.startswith("https://"):
        return Check("One-click unsubscribe", "ok", "Every email to a subscriber supports it.")
    text = "Mailbox providers require HTTPS for it. Set SITE_URL to an https:// address."
    return Check("One-click unsubscribe", "warning", text)


def _log_in() -> Check:
    if not settings.EMAIL_URL:
        return Check("Mail server", "warning", "No mail server is configured. Set EMAIL_URL.")
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL:
        return Check("Mail server", "ok", "The connection is encrypted.")
    if settings.EMAIL_HOST_USER:
        text = "The password is sent unencrypted. Use smtp+tls:// or smtp+ssl:// in EMAIL_URL."
        return Check("Mail server", "warning", text)
    return Check(
        "Mail server", "look", "The connection is not encrypted. This is fine on the same machine or a private network."
    )
