"""The IP address of the client. X-Forwarded-For is trusted as far as TRUSTED_PROXIES allows."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port


def client_address(request: HttpRequest) -> str:
    """Return the address of the peer or, behind proxies, the entry of the outermost trusted proxy in X-Forwarded-For.

    That entry is number TRUSTED_PROXIES from the right; entries to its left may be forged by the client.
    """
    entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    trusted: int = settings.TRUSTED_PROXIES
    if trusted and len(entries) >= trusted and _parsed(entries[-trusted]):
        return entries[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """Return the key for rate limits: the IPv4 address, or the /64 network of an IPv6 address."""
    address = _parsed(client_address(request))
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def is_from_this_machine(request: HttpRequest) -> bool:
    """Return whether a program on this machine sent the request, to a local address such as 127.0.0.1.

    All addresses that the request passed must be local, and the host that it was sent to. Behind a proxy on this
    machine that TRUSTED_PROXIES does not count, visitors would otherwise seem to be local.
    """
    forwarded = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    passed = [str(request.META.get("REMOTE_ADDR", "")), *filter(None, forwarded)]
    host = split_domain_port(request.get_host())[0].strip("[]")
    return (host == "localhost" or _is_loopback(host)) and all(map(_is_loopback, passed))


def _is_loopback(text: str) -> bool:
    address = _parsed(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address is not None and address.is_loopback


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
