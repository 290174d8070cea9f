"""Detect a wrong TRUSTED_PROXIES from the request of a person who looks at the settings."""

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from statuspage.common.client_ip import client_address

# Networks in which proxies and containers are: RFC 1918, RFC 6598, RFC 4193 and loopback.
PRIVATE_NETWORKS = [
    ip_network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
]


def proxy_notice(request: HttpRequest) -> str:
    """Return what is wrong, or an empty string. Each proxy appends one entry to X-Forwarded-For."""
    header = request.headers.get("X-Forwarded-For", "")
    passed = len(header.split(",")) if header.strip() else 0
    trusted: int = settings.TRUSTED_PROXIES
    address = client_address(request)
    if passed > trusted:
        return (
            f"Your request passed {passed} {_proxies(passed)}, but TRUSTED_PROXIES is {trusted}. Candor sees your "
            f"address as {address}. If you operate all of them, visitors share one address and its limits: set "
            f"TRUSTED_PROXIES to {passed}."
        )
    if passed < trusted:
        return (
            f"Your request passed {passed} {_proxies(passed)}, but TRUSTED_PROXIES is {trusted}. Visitors can forge "
            f"their address: set TRUSTED_PROXIES to {passed}."
        )
    if _is_private(address) and settings.SITE_URL.startswith("https://") and not _is_local(settings.SITE_URL):
        return (
            f"Candor sees your address as {address}, which is private. If you are not in that network, a proxy hides "
            "the addresses of visitors, and they share one limit for sign-ins: let it set X-Forwarded-For, and set "
            "TRUSTED_PROXIES."
        )
    return ""


def _proxies(count: int) -> str:
    return "proxy" if count == 1 else "proxies"


def _is_private(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return True
    return any(parsed in network for network in PRIVATE_NETWORKS)


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "") in ("localhost", "127.0.0.1", "::1")
