"""The addresses that outbound requests refuse. A listener on loopback must never see a forbidden connection."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from statuspage.common import outbound_http
from statuspage.common.ip_rules import as_address, is_public
from tests.receivers import Listener, Receiver, Reply, listening_peer, responding_with

# As nobody writes it who means well. PORT is the listener's.
HOSTILE = [
    "http://127.0.0.1:PORT/",
    "http://localhost:PORT/",
    "http://LocalHost:PORT/",
    "http://localhost.:PORT/",
    "http://127.0.0.1.:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://2130706433:PORT/",
    "http://017700000001:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0x7f000001:PORT/",
    "http://0X7F.0.0.1:PORT/",
    "http://127.0.0.0x1:PORT/",
    "http://00127.0.0.1:PORT/",
    "http://127.000.000.001:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://[::]:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::1%25lo]:PORT/",
    "http://[::1%lo]:PORT/",
    "http://[fe80::1%25eth0]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::FFFF:7F00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    "http://１２７.０.０.１:PORT/",
    "http://127。0。0。1:PORT/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/",
    "http://user:secret@127.0.0.1:PORT/",
    "http://example.com@127.0.0.1:PORT/",
    "http://example.com:80@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@example.com/",
    "http://127.0.0.1:PORT\\@example.com/",
    "http://example.com\\@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT\t/",
    "http://127.0.0.1\r\n:PORT/",
    " http://127.0.0.1:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://127.0.0.1:+PORT/",
    "http:127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_x",
    "ftp://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "",
]
NAMES = {
    "private.example": ["127.0.0.1"],
    "mixed.example": ["203.0.114.7", "127.0.0.1"],
    "mixed-other-way.example": ["127.0.0.1", "203.0.114.7"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening_peer() as peer:
        yield peer


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """A name server of our own: `names["host"]` is what it answers. Any other name is unknown."""
    table = dict(NAMES)

    def look_up(host: str, port: int, **_more: Any) -> list[Any]:
        if host not in table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", (address, port)) for address in table[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


def ask(url: str, **more: Any) -> outbound_http.Response:
    return outbound_http.post(url, body=b"{}", headers={"Content-Type": "application/json"}, **more)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_spelling_is_refused_before_anything_is_connected(url: str, listener: Listener) -> None:
    with pytest.raises(outbound_http.ForbiddenAddress):
        ask(url.replace("PORT", str(listener.port)))
    assert listener.connections == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_inside_even_with_one_of_its_addresses_is_refused(
    name: str, names: dict[str, list[str]], listener: Listener
) -> None:
    with pytest.raises(outbound_http.ForbiddenAddress, match=r"is not a public address\. .* OUTBOUND_ALLOW"):
        ask(f"http://{name}:{listener.port}/")
    assert listener.connections == 0


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "127.8.8.8", "0.1.2.3"),
        *("192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "255.255.255.255"),
        *("240.0.0.1", "192.88.99.1", "::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "2002:808:808::1", "2001::1", "2001:db8::1", "100::1"),
        *("3fff::1", "5f00::1", "::808:808"),
    ],
)
def test_an_address_that_not_everybody_can_reach_is_not_public(address: str) -> None:
    parsed = as_address(address)
    assert parsed is not None
    assert not is_public(parsed)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450::1"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    parsed = as_address(address)
    assert parsed is not None
    assert is_public(parsed)


def test_a_name_is_looked_up_once_so_that_it_cannot_mean_something_else_a_moment_later(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """The first answer is an address that is allowed, the second would be one that is not: as rebinding does it."""
    settings.OUTBOUND_ALLOW = ["127.0.0.2"]
    answers = ["127.0.0.2", "127.0.0.1", "127.0.0.1"]

    def look_up(_host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with (
        listening_peer(responding_with(b"HTTP/1.1 204 No Content\r\n\r\n"), hosts=("127.0.0.2",)) as allowed,
        listening_peer(hosts=("127.0.0.1",)) as forbidden,
    ):
        assert ask(f"http://rebinding.example:{allowed.port}/").status == 204
        with pytest.raises(outbound_http.ForbiddenAddress):
            ask(f"http://rebinding.example:{forbidden.port}/")
        assert (allowed.connections, forbidden.connections) == (1, 0)
    assert answers == ["127.0.0.1"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(
    status: int, receiver: Receiver, listener: Listener, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    for target in ("http://169.254.169.254/latest/meta-data/", f"http://127.0.0.1:{listener.port}/"):
        receiver.reply = Reply(status, headers={"Location": target})
        response = ask(receiver.url())
        assert (response.status, response.headers["location"]) == (status, target)
    assert len(receiver.requests) == 2
    assert listener.connections == 0


def test_the_environments_proxy_is_not_used(
    receiver: Receiver, listener: Listener, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{listener.port}")
    assert ask(receiver.url()).status == 200
    assert listener.connections == 0


@pytest.mark.parametrize("port", [22, 25, 0, 1023, 65536, 99999])
def test_ports_of_other_protocols_cannot_be_used(port: int, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.1"]
    with pytest.raises(outbound_http.ForbiddenAddress, match=f"Port {port} is not allowed"):
        ask(f"http://127.0.0.1:{port}/")


def test_a_host_that_the_operator_lists_may_be_private_and_on_any_port(
    names: dict[str, list[str]], settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = ["Private.Example"]
    assert outbound_http.parse("https://private.example:25/x") == outbound_http.OutboundTarget(
        "https", "private.example", 25, "/x"
    )
    with listening_peer(responding_with(b"HTTP/1.1 200 OK\r\n\r\nhello"), hosts=("127.0.0.1",)) as intranet:
        assert ask(f"http://private.example:{intranet.port}/").body == b"hello"
        with pytest.raises(outbound_http.ForbiddenAddress):
            ask(f"http://mixed.example:{intranet.port}/")


def test_a_network_that_the_operator_lists_is_open_and_its_neighbour_is_not(
    receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/31", "fd00::/8"]
    assert ask(receiver.url()).status == 200
    with pytest.raises(outbound_http.ForbiddenAddress):
        ask(f"http://127.0.0.2:{receiver.port}/")


def test_nothing_private_is_open_unless_the_operator_says_so(settings: Settings) -> None:
    assert settings.OUTBOUND_ALLOW == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("example.com/hook", "The URL must start with https:// or http://."),
        ("https://ada:pw@example.com/", "The URL must not contain a user name or password."),
        ("https://bücher.example/", "non-ASCII characters"),
        ("https://exa mple.com/", "contains a space"),
        ("https:///hook", "Enter a complete URL"),
        ("https://example.com/a#b", "part of the URL from #"),
        ("https://-x.example/", "is not a valid host name"),
        ("https://[12345::]/", "is not an IPv6 address"),
        ("https://256.1.1.1/", "neither a host name nor an IP address"),
        (f"https://example.com/{'x' * 1000}", "longer than 1,000 characters"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_address(url: str, expected: str) -> None:
    with pytest.raises(outbound_http.ForbiddenAddress, match=expected):
        outbound_http.parse(url)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://Example.COM", outbound_http.OutboundTarget("https", "example.com", 443, "/")),
        ("HTTPS://example.com?a=b", outbound_http.OutboundTarget("https", "example.com", 443, "/?a=b")),
        (
            "http://xn--bcher-kva.example:8080/a/b?c=d&e=%20",
            outbound_http.OutboundTarget("http", "xn--bcher-kva.example", 8080, "/a/b?c=d&e=%20"),
        ),
        ("https://[2606:4700::1]/x@y", outbound_http.OutboundTarget("https", "2606:4700::1", 443, "/x@y")),
    ],
)
def test_a_usual_address_is_understood(url: str, target: outbound_http.OutboundTarget) -> None:
    assert outbound_http.parse(url) == target


def test_the_host_header_is_written_as_browsers_write_it() -> None:
    assert outbound_http.parse("https://example.com:443/").netloc == "example.com"
    assert outbound_http.parse("https://example.com:8443/").netloc == "example.com:8443"
    assert outbound_http.parse("http://[2606:4700::1]:8080/").netloc == "[2606:4700::1]:8080"
