"""The settings page shows when TRUSTED_PROXIES does not match the request."""

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.console.staff import parsed_page
from tests.factories import make_page, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("trusted", "forwarded", "peer", "expected"),
    [
        (0, "", "203.0.113.5", ""),
        (1, "203.0.113.5", "127.0.0.1", ""),
        (2, "203.0.113.5, 10.0.0.2", "127.0.0.1", ""),
        (1, "203.0.113.5, 10.0.0.2", "127.0.0.1", "passed 2 proxies, but TRUSTED_PROXIES is 1."),
        (0, "203.0.113.5", "127.0.0.1", "passed 1 proxy, but TRUSTED_PROXIES is 0"),
        (2, "203.0.113.5", "127.0.0.1", "Visitors can forge their address: set TRUSTED_PROXIES to 1."),
        (0, "", "172.18.0.1", "Candor sees your address as 172.18.0.1, which is private"),
        (1, "10.1.2.3", "127.0.0.1", "Candor sees your address as 10.1.2.3, which is private"),
    ],
)  # fmt: skip
def test_a_wrong_number_of_proxies_is_shown(
    settings: Settings, trusted: int, forwarded: str, peer: str, expected: str
) -> None:
    make_page()
    settings.TRUSTED_PROXIES, settings.SITE_URL = trusted, "https://status.example.com"
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    client = Client(headers=headers, REMOTE_ADDR=peer)
    client.force_login(make_user("owner"))
    text = parsed_page(client.get("/console/p/acme/settings")).text
    assert expected in text
    assert ("TRUSTED_PROXIES" in text) is bool(expected)


def test_on_ones_own_machine_nothing_is_shown(settings: Settings) -> None:
    make_page()
    client = Client()
    client.force_login(make_user("owner"))
    assert "TRUSTED_PROXIES" not in parsed_page(client.get("/console/p/acme/settings")).text
