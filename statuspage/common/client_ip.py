"""The IP address of the client. X-Forwarded-For is trusted as far as TRUSTED_PROXIES allows."""

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from statuspage.common.networks import client_address_of, is_loopback, network_of


def client_address(request: HttpRequest) -> str:
    """Return the address of the peer or, behind proxies, that of the client of the outermost trusted proxy."""
    forwarded_for = request.headers.get("X-Forwarded-For", "")
    return client_address_of(str(request.META.get("REMOTE_ADDR", "")), forwarded_for, settings.TRUSTED_PROXIES)


def client_network(request: HttpRequest) -> str:
    """Return the key for rate limits: the IPv4 address, or the /64 network of an IPv6 address."""
    return network_of(client_address(request))


def is_from_this_machine(request: HttpRequest) -> bool:
    """Return whether a program on this machine sent the request, to a local address such as 127.0.0.1.

    All addresses that the request passed must be local, and the host that it was sent to. Behind a proxy on this
    machine that TRUSTED_PROXIES does not count, visitors would otherwise seem to be local.
    """
    forwarded = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    passed = [str(request.META.get("REMOTE_ADDR", "")), *filter(None, forwarded)]
    host = split_domain_port(request.get_host())[0].strip("[]")
    return (host == "localhost" or is_loopback(host)) and all(map(is_loopback, passed))
