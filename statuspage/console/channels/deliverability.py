"""What makes large mailbox providers accept mail, as far as the settings tell. No name server is asked."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings

from statuspage.notifications.messages.email import sender_address

_LOCAL = ("", "localhost", "localhost.localdomain")


@dataclass(frozen=True)
class Check:
    """`state` is ok, warning (do it), or look: only your name server, or a mail that arrived, can tell."""

    name: str
    state: str
    words: str
    record: str = ""


def checklist() -> list[Check]:
    domain = sender_address().rpartition("@")[2].lower()
    if domain in _LOCAL:
        words = (
            f"MAIL_FROM is {sender_address()}, which nobody else can answer or trust. Set it to an address of yours."
        )
        return [Check("Sender", "warning", words), _return_path(domain), _unsubscribing(), _log_in()]
    sender = Check("Sender", "ok", f"Mails come from {sender_address()}.")
    return [sender, _spf(domain), _dkim(domain), _dmarc(domain), _return_path(domain), _unsubscribing(), _log_in()]


def _spf(domain: str) -> Check:
    """SPF judges the domain of the return path (RFC 7208)."""
    where = settings.BOUNCE_ADDRESS.rpartition("@")[2] or domain
    words = f"A TXT record at {where} has to name the server that delivers. Your provider says what to include:"
    return Check("SPF", "look", words, f'{where}. TXT "v=spf1 {_spf_terms()} -all"')


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
    words = f"Your mail server, not Candor, signs mails. Let it sign with d={domain} and publish its key:"
    return Check("DKIM", "look", words, f'<selector>._domainkey.{domain}. TXT "v=DKIM1; k=rsa; p=…"')


def _dmarc(domain: str) -> Check:
    words = (
        "Says that the two above hold for the address in From. Begin with p=none and tighten it when reports are clean:"
    )
    return Check("DMARC", "look", words, f'_dmarc.{domain}. TXT "v=DMARC1; p=none; rua=mailto:postmaster@{domain}"')


def _return_path(domain: str) -> Check:
    back = settings.BOUNCE_ADDRESS.rpartition("@")[2].lower()
    if settings.EMAIL_PROVIDER and settings.ANYMAIL_WEBHOOK_SECRET:
        return Check("Bounces", "ok", f"{settings.EMAIL_PROVIDER.capitalize()} reports bounces and complaints.")
    if settings.EMAIL_PROVIDER and not back:
        words = "EMAIL_PROVIDER is set, but ANYMAIL_WEBHOOK_SECRET is not, so its reports are refused."
        return Check("Bounces", "warning", words)
    if not back:
        words = "Nobody reads what comes back, so dead addresses stay. Set BOUNCE_ADDRESS or EMAIL_PROVIDER."
        return Check("Bounces", "warning", words)
    if domain not in _LOCAL and not (f".{back}".endswith(f".{domain}") or f".{domain}".endswith(f".{back}")):
        words = f"Bounces go to {back}, the sender is at {domain}: SPF will not count for DMARC, only DKIM will."
        return Check("Bounces", "warning", words)
    return Check("Bounces", "ok", f"What comes back goes to {settings.BOUNCE_ADDRESS}, signed for each mail.")


def _unsubscribing() -> Check:
    if settings.SITE_URL.startswith("https://"):
        return Check("One-click unsubscribe", "ok", "Every mail to a subscriber carries it.")
    words = "Mailbox providers only use it over HTTPS. Set SITE_URL to the https address of the page."
    return Check("One-click unsubscribe", "warning", words)


def _log_in() -> Check:
    if not settings.EMAIL_URL:
        return Check("Mail server", "warning", "None is set. Set EMAIL_URL.")
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL:
        return Check("Mail server", "ok", "The way to it is encrypted.")
    if settings.EMAIL_HOST_USER:
        words = "The password goes to it unencrypted. Use smtp+tls:// or smtp+ssl:// in EMAIL_URL."
        return Check("Mail server", "warning", words)
    return Check(
        "Mail server", "look", "The way to it is not encrypted, which is fine on this machine or your own network."
    )
