"""With the earlier key in SECRET_KEY_FALLBACKS, everything that it signed stays valid; without it, nothing does."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from incidents.models import Page
from statuspage.accounts.adapter import DEVICE_COOKIE
from statuspage.accounts.password_reset import password_reset_url
from statuspage.common.signing import BadToken, sign_number, verify_number
from statuspage.subscribers import links
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from tests.factories import PASSWORD, make_page, make_subscriber, make_user

pytestmark = pytest.mark.django_db

NEW_KEY = "the key after the rotation " * 3


@pytest.fixture
def page() -> Page:
    return make_page()


def rotate(settings: Settings, *, keeps_earlier: bool) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if keeps_earlier else []
    settings.SECRET_KEY = NEW_KEY


def reader(page: Page) -> Subscriber:
    return make_subscriber(page)


def waiting(page: Page) -> Subscriber:
    return make_subscriber(page, state=SubscriberState.PENDING, confirmed_at=None)


def webhook(page: Page) -> Subscriber:
    return make_subscriber(page, channel=Channel.WEBHOOK, endpoint="https://hooks.example.com/x")


LINKS: dict[str, Callable[[Page], str]] = {
    "unsubscribe": lambda page: links.unsubscribe_url(reader(page)),
    "manage": lambda page: links.manage_url(reader(page)),
    "confirm": lambda page: links.confirm_url(waiting(page)),
    "manage a webhook": lambda page: links.manage_url(webhook(page)),
    "confirm a webhook": lambda page: links.confirm_url(webhook(page)),
    "set a password": lambda page: password_reset_url(make_user()),
}


@pytest.mark.parametrize("name", LINKS)
def test_every_kind_of_link_survives_a_rotation(settings: Settings, page: Page, name: str) -> None:
    path = urlsplit(LINKS[name](page)).path
    before = Client().get(path, follow=True)
    assert before.status_code == 200
    rotate(settings, keeps_earlier=True)
    after = Client().get(path, follow=True)
    assert after.status_code == 200
    assert b"no longer valid" not in after.content
    rotate(settings, keeps_earlier=False)
    gone = Client().get(path, follow=True)
    assert gone.status_code in (404, 410) or b"no longer valid" in gone.content


@pytest.mark.parametrize("keeps_earlier", [True, False])
def test_return_paths_of_sent_emails(settings: Settings, *, keeps_earlier: bool) -> None:
    token = sign_number("returnpath.delivery", 4711)
    rotate(settings, keeps_earlier=keeps_earlier)
    if keeps_earlier:
        assert verify_number("returnpath.delivery", token) == 4711
        assert verify_number("returnpath.delivery", sign_number("returnpath.delivery", 5)) == 5
    else:
        with pytest.raises(BadToken):
            verify_number("returnpath.delivery", token)


@pytest.mark.parametrize("keeps_earlier", [True, False])
def test_sessions(settings: Settings, page: Page, *, keeps_earlier: bool) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": make_user().email, "password": PASSWORD})
    rotate(settings, keeps_earlier=keeps_earlier)
    assert (client.get("/console/p/acme/account").status_code == 200) is keeps_earlier


def test_new_links_are_signed_with_the_new_key(settings: Settings, page: Page) -> None:
    subscriber = reader(page)
    rotate(settings, keeps_earlier=True)
    path = urlsplit(links.manage_url(subscriber)).path
    settings.SECRET_KEY_FALLBACKS = []
    assert Client().get(path).status_code == 200


def test_a_known_device_stays_known(settings: Settings, page: Page) -> None:
    user, client = make_user(), Client()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/logout/")
    assert client.cookies[DEVICE_COOKIE].value
    rotate(settings, keeps_earlier=True)
    for _ in range(10):
        Client().post("/accounts/login/", {"login": user.email, "password": "wrong"})
    assert client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}).status_code == 302
