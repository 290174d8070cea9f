"""The address of a client behind proxies, and its network: the key of limits. Uses no Django."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def client_address_of(peer: str, forwarded_for: str, trusted_proxies: int) -> str:
    """Return `peer` or, behind proxies, the entry of the outermost trusted proxy in X-Forwarded-For.

    That entry is number `trusted_proxies` from the right; entries to its left may be forged by the client.
    """
    entries = [entry.strip() for entry in forwarded_for.split(",")]
    if trusted_proxies and len(entries) >= trusted_proxies and _parsed(entries[-trusted_proxies]):
        return entries[-trusted_proxies]
    return peer


def network_of(text: str) -> str:
    """Return the IPv4 address, or the /64 network of an IPv6 address."""
    address = _parsed(text)
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, 64), strict=False))
    return str(address)


def is_loopback(text: str) -> bool:
    address = _parsed(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address is not None and address.is_loopback


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
