"""Sessions are stored hashed, listed for their owner, and end when they should."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Page
from statuspage.accounts.models import StaffSession, User
from statuspage.accounts.session_store import SessionStore, digest_of
from tests.console.staff import parsed_page
from tests.factories import PASSWORD, make_page, make_user

pytestmark = pytest.mark.django_db

ACCOUNT = "/console/p/acme/account"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1"
NEW_PASSWORD = "four words to remember"


@pytest.fixture(autouse=True)
def page() -> Page:
    return make_page()


def sign_in(user: User, *, device: str = FIREFOX, address: str = "203.0.113.5") -> Client:
    client = Client(headers={"user-agent": device}, REMOTE_ADDR=address)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(ACCOUNT).status_code == 200


def key_of(client: Client) -> str:
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def test_no_column_of_the_database_contains_the_key_of_a_session() -> None:
    client = sign_in(make_user())
    key = key_of(client)
    assert is_signed_in(client)
    assert not Session.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_staffsession")
        rows = cursor.fetchall()
    assert len(rows) == 1
    assert key not in str(rows)


@pytest.mark.parametrize("stolen", ["session_key", "session_data"])
def test_what_a_reader_of_the_database_finds_is_no_cookie(stolen: str) -> None:
    sign_in(make_user())
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = getattr(StaffSession.objects.get(), stolen)
    assert not is_signed_in(thief)


def test_the_account_page_lists_ones_own_sessions_with_device_and_address() -> None:
    user = make_user()
    sign_in(make_user("viewer"), address="203.0.113.99")
    sign_in(user, device=SAFARI, address="2001:db8::7")
    text = parsed_page(sign_in(user).get(ACCOUNT)).text
    assert "Firefox on Linux (this device)" in text
    assert "Safari on iPhone" in text
    assert "2001:db8::7" in text
    assert "203.0.113.99" not in text


def test_one_session_is_ended_and_the_others_go_on() -> None:
    user = make_user()
    here, phone, other = sign_in(user), sign_in(user, device=SAFARI), sign_in(user)
    here.post(f"{ACCOUNT}/sessions", {"session": digest_of(key_of(phone))})
    assert [is_signed_in(client) for client in (here, phone, other)] == [True, False, True]
    assert AuditEntry.objects.get(verb="person.session_ended").details == {"sessions": 1}


def test_all_other_sessions_are_ended_at_once() -> None:
    user = make_user()
    here, phone, other, colleague = sign_in(user), sign_in(user), sign_in(user), sign_in(make_user("viewer"))
    answer = here.post(f"{ACCOUNT}/sessions", follow=True)
    assert "2 sessions ended." in parsed_page(answer).text
    assert [is_signed_in(client) for client in (here, phone, other, colleague)] == [True, False, False, True]


def test_nobody_ends_the_session_of_somebody_else() -> None:
    colleague = sign_in(make_user("viewer"))
    sign_in(make_user("owner")).post(f"{ACCOUNT}/sessions", {"session": digest_of(key_of(colleague))})
    assert is_signed_in(colleague)
    assert not AuditEntry.objects.filter(verb="person.session_ended").exists()


def test_a_new_password_ends_the_other_sessions_and_leaves_none_behind() -> None:
    user = make_user()
    here, phone = sign_in(user), sign_in(user, device=SAFARI)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    here.post("/accounts/password/change/", data)
    assert [is_signed_in(client) for client in (here, phone)] == [True, False]
    row = StaffSession.objects.get()
    assert (row.user, row.address) == (user, "203.0.113.5")


def test_the_key_changes_when_somebody_signs_in() -> None:
    user = make_user()
    client = Client()
    fixed = SessionStore()
    fixed["planted"] = "by an attacker"
    fixed.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = str(fixed.session_key)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert key_of(client) != fixed.session_key
    assert not SessionStore().exists(str(fixed.session_key))


@pytest.mark.parametrize(
    ("days_between_uses", "uses", "signed_in"),
    [(6, 2, True), (8, 1, False), (5, 3, False)],
    ids=["used every 6 days", "unused for 8 days", "15 days old"],
)
def test_a_session_ends_after_a_week_without_use_and_two_weeks_after_sign_in(
    days_between_uses: int, uses: int, *, signed_in: bool
) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        client = sign_in(make_user())
    for number in range(1, uses + 1):
        with time_machine.travel(start + timedelta(days=days_between_uses * number), tick=False):
            result = is_signed_in(client)
    assert result == signed_in


def test_the_time_of_use_is_written_at_most_every_five_minutes() -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        client = sign_in(make_user())
    for minutes, recorded in ((4, 0), (6, 6), (10, 6), (12, 12)):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            client.get(ACCOUNT)
        assert StaffSession.objects.get().last_used_at == start + timedelta(minutes=recorded)


def test_a_session_that_was_ended_is_not_written_again_by_a_late_request() -> None:
    sign_in(make_user())
    store = SessionStore()
    store["a"] = 1
    store.save()
    late: Any = SessionStore(store.session_key)
    late["a"] = 2
    StaffSession.objects.all().delete()
    with pytest.raises(UpdateError):
        late.save()
    assert not StaffSession.objects.exists()
