"""Metrics name components that visitors do not see: only operators may read them."""

import pytest
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-operator"


def status(*, peer: str = "127.0.0.1", host: str = "127.0.0.1:8000", token: str = "", forwarded: str = "") -> int:
    headers = {"host": host} | ({"authorization": token} if token else {})
    headers |= {"x-forwarded-for": forwarded} if forwarded else {}
    return Client().get("/metrics", headers=headers, REMOTE_ADDR=peer).status_code


@pytest.mark.parametrize(
    ("peer", "host"),
    [("127.0.0.1", "127.0.0.1:8000"), ("127.0.0.2", "localhost"), ("::1", "[::1]:8000"), ("::ffff:127.0.0.1", "[::1]")],
)
def test_without_a_token_programs_on_this_machine_may_read(peer: str, host: str) -> None:
    assert status(peer=peer, host=host) == 200


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "2001:db8::1", ""])
def test_without_a_token_other_machines_may_not(peer: str) -> None:
    assert status(peer=peer) == 403


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "192.0.2.7", 403),  # TRUSTED_PROXIES is too low: the peer is the proxy
        (1, "192.0.2.7", 403),
        (1, "127.0.0.1, 192.0.2.7", 403),
        (1, "192.0.2.7, 127.0.0.1", 403),
        (2, "127.0.0.1, 192.0.2.7", 403),
        (1, "nonsense", 403),
        (1, "127.0.0.1", 200),
        (1, "", 200),
    ],
)
def test_a_visitor_behind_a_proxy_on_this_machine_is_not_local(
    settings: Settings, proxies: int, forwarded: str, expected: int
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert status(forwarded=forwarded) == expected


def test_a_proxy_that_hides_its_clients_is_recognized_by_the_host() -> None:
    assert status(host="status.example.com") == 403


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_opens_them_from_everywhere(settings: Settings, scheme: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert status(peer="192.0.2.7", host="status.example.com", token=f"{scheme} {TOKEN}") == 200


@pytest.mark.parametrize("token", ["", f"Bearer {TOKEN}x", "Bearer", f"Basic {TOKEN}", TOKEN, "Bearer ä"])
def test_with_a_token_nothing_else_opens_them(settings: Settings, token: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert status(token=token) == 403


def test_the_refusal_says_what_is_required() -> None:
    response = Client().get("/metrics", REMOTE_ADDR="192.0.2.7")
    assert response.content == b"Metrics require a local client. See docs/monitoring.md.\n"
    assert "no-store" in response["Cache-Control"]


def test_only_reading_is_allowed() -> None:
    assert Client().post("/metrics", headers={"host": "127.0.0.1"}).status_code == 405
