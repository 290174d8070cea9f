"""The addresses that outbound requests may connect to: public ones and those in OUTBOUND_ALLOW."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Refused in addition to `is_global`, whose tables differ between Python releases: ranges that lead to other addresses
# (translation and tunnels contain an IPv4 address) or are not routed (RFC 6890 and IANA).
_FORBIDDEN = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and some clouds' own services
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo, ORCHID and other protocols
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/9",  # link-local, and the site-local that came before unique local ones
        "ff00::/8",
    )
)


def is_allowed(address: Address, host: str) -> bool:
    """Return whether connecting to `address` of `host` (lower case, no brackets) is allowed."""
    return is_public(address) or is_listed(host) or any(address in network for network in _allowed_networks())


def is_public(address: Address) -> bool:
    """Return whether the address is publicly routed: not in a private network and not on this machine."""
    if not address.is_global or address.is_multicast or address.is_reserved or address.is_unspecified:
        return False
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    return not any(address in network for network in _FORBIDDEN)


def is_listed(host: str) -> bool:
    """Return whether OUTBOUND_ALLOW contains this host name. It is then allowed on any address and port."""
    return any(entry.lower() == host for entry in settings.OUTBOUND_ALLOW if _as_network(entry) is None)


def _allowed_networks() -> list[Network]:
    return [network for entry in settings.OUTBOUND_ALLOW if (network := _as_network(entry))]


def _as_network(entry: str) -> Network | None:
    try:
        return ip_network(entry, strict=False)
    except ValueError:
        return None


def as_address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
