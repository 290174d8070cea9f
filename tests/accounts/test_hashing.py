"""Sign-ins cannot occupy every core: hashing is limited, in each process and for each address."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django.fixtures import Settings

from statuspage.accounts import hashing
from statuspage.accounts.models import User
from tests.console.staff import parsed_page
from tests.factories import PASSWORD, make_page, make_user

pytestmark = pytest.mark.django_db

HASHER = "statuspage.accounts.hashing.LimitedHasher"
NEW_PASSWORD = "four words to remember"


@pytest.fixture(autouse=True)
def limited(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [HASHER]
    make_page()


@pytest.fixture
def busy() -> Iterator[None]:
    """Others occupy all slots and all places to wait, as threads of the same process."""
    done = threading.Event()
    inside = threading.Barrier(hashing.AT_ONCE + 1)

    def occupy() -> None:
        with hashing.slot():
            inside.wait()
            done.wait()

    threads = [threading.Thread(target=occupy) for _ in range(hashing.AT_ONCE)]
    for thread in threads:
        thread.start()
    inside.wait()
    with ExitStack() as waiting:
        for _ in range(hashing.WAITING):
            hashing._admitted.acquire()
            waiting.callback(hashing._admitted.release)
        yield
    done.set()
    for thread in threads:
        thread.join()


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: Any) -> str:
    answer = client.post("/accounts/login/", {"login": email, "password": password}, **more)
    return parsed_page(answer).text if answer.status_code == 200 else f"{answer.status_code}"


def test_the_hashes_are_djangos() -> None:
    assert identify_hasher(make_password(PASSWORD)).algorithm == "pbkdf2_sha256"


def test_a_full_process_asks_to_try_again_and_keeps_the_address(client: Client, busy: None) -> None:
    User.objects.create(email="ann@example.org", password="pbkdf2_sha256$1000$salt$hash")
    answer = client.post("/accounts/login/", {"login": "ann@example.org", "password": PASSWORD})
    assert "Too many people are signing in. Try again in a few seconds." in answer.content.decode()
    assert 'value="ann@example.org"' in answer.content.decode()


def test_setting_a_password_in_a_full_process_changes_nothing(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    with patch.object(hashing, "_admitted", threading.BoundedSemaphore(1)) as admitted:
        admitted.acquire()
        answer = client.post("/accounts/password/change/", data)
    assert "Try again in a few seconds." in answer.content.decode()
    assert User.objects.get().check_password(PASSWORD)


def test_no_more_than_the_limit_hash_at_once_and_no_more_than_a_few_wait() -> None:
    running: list[int] = []
    most: list[int] = []
    refused: list[ValidationError] = []
    start = threading.Barrier(12)
    decided = threading.Semaphore(0)

    def hash_once() -> None:
        start.wait()
        try:
            with hashing.slot():
                running.append(1)
                most.append(len(running))
                # Until all others were admitted or refused.
                for _ in range(12 - hashing.AT_ONCE - hashing.WAITING):
                    decided.acquire()
                    decided.release()
                running.pop()
        except ValidationError as error:
            refused.append(error)
            decided.release()

    threads = [threading.Thread(target=hash_once) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= hashing.AT_ONCE
    assert len(most) + len(refused) == 12
    assert len(most) >= hashing.AT_ONCE + hashing.WAITING


def test_an_unknown_address_costs_as_many_hashes_as_a_known_one(client: Client) -> None:
    user = make_user()
    inactive = make_user("viewer")
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    counts = []
    encode = hashing.LimitedHasher.encode
    for email in (user.email, "nobody@example.org", inactive.email):
        with patch.object(hashing.LimitedHasher, "encode", autospec=True, side_effect=encode) as hashed:
            sign_in(client, email, "wrong password")
        counts.append(hashed.call_count)
    assert counts == [1, 1, 1]


@time_machine.travel("2026-11-24T10:00Z", tick=False)
def test_one_address_cannot_try_more_accounts_than_a_fraction_of_a_core_hashes(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client = Client()
    answers = [
        sign_in(client, f"user{number}@example.org", "wrong", REMOTE_ADDR=f"2001:db8::{number:x}")
        for number in range(70)
    ]
    refused = [number for number, text in enumerate(answers) if "Too many attempts" in text]
    assert refused == list(range(60, 70))


@time_machine.travel("2026-11-24T10:00Z", tick=False)
def test_a_browser_that_signed_in_before_is_not_locked_out_by_others_behind_its_address(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user = make_user()
    known, attacker = Client(), Client()
    assert sign_in(known, user.email) == "302"
    known.post("/accounts/logout/")
    for number in range(70):
        sign_in(attacker, user.email if number < 20 else f"user{number}@example.org", "wrong")
    assert sign_in(known, user.email) == "302"
    assert sign_in(Client(), make_user("viewer").email) != "302"


@time_machine.travel("2026-11-24T10:00Z", tick=False)
def test_a_browser_that_signed_in_before_has_its_own_limit(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user = make_user()
    client = Client()
    sign_in(client, user.email)
    client.post("/accounts/logout/")
    answers = [sign_in(client, user.email, "wrong") for _ in range(11)]
    assert ["Too many attempts" in text for text in answers] == [False] * 10 + [True]


@time_machine.travel("2026-11-24T10:00Z", tick=False)
def test_the_cookie_of_one_account_is_none_for_another(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client = Client()
    sign_in(client, make_user("viewer").email)
    client.post("/accounts/logout/")
    user = make_user()
    for _ in range(10):
        sign_in(Client(), user.email, "wrong")
    assert "Too many attempts" in sign_in(client, user.email)
