"""Who asks. What a request says of itself is believed only as far as TRUSTED_PROXIES says."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The peer's IP address or, behind TRUSTED_PROXIES proxies, the entry that the outermost of them wrote into
    X-Forwarded-For: that many from the right. Everything further left was typed by the client."""
    entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    trusted: int = settings.TRUSTED_PROXIES
    if trusted and len(entries) >= trusted and _parsed(entries[-trusted]):
        return entries[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """What one visitor is counted by: an IPv4 address, or the /64 that an IPv6 one can hop about in."""
    address = _parsed(client_address(request))
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
