import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from statuspage.accounts.models import User
from statuspage.dispatcher.loop import drain
from tests.factories import PASSWORD, make_page, make_user

# Sending records its results from another thread.
pytestmark = pytest.mark.django_db(transaction=True)

NEW_PASSWORD = "four words to remember"


# Attempts are counted in windows of five minutes; a test must not stand across two.
one_moment = time_machine.travel("2026-11-24T10:00Z", tick=False)


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def reset_link() -> str:
    drain()
    match = re.search(r"http\S+/accounts/password/reset/key/\S+", str(mail.outbox[-1].body))
    assert match
    return match.group(0).removeprefix(settings.SITE_URL)


def ask_for_reset(client: Client, email: str) -> Any:
    return client.post("/accounts/password/reset/", {"email": email})


def test_signing_in_leads_to_the_console(client: Client) -> None:
    make_page()
    user = make_user()
    answer = sign_in(client, user.email)
    assert (answer.status_code, answer["Location"]) == (302, "/console/")
    assert is_signed_in(client)


def test_an_address_may_be_typed_in_capitals(client: Client) -> None:
    user = make_user()
    sign_in(client, user.email.upper())
    assert is_signed_in(client)


def test_signing_in_leads_back_to_where_one_was_going(client: Client) -> None:
    make_page()
    user = make_user()
    form = client.get("/accounts/login/?next=/console/p/acme/incidents").content.decode()
    assert '<input type="hidden" name="next" value="/console/p/acme/incidents">' in form
    answer = sign_in(client, user.email, next="/console/p/acme/incidents")
    assert answer["Location"] == "/console/p/acme/incidents"


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http:///evil.example", "/\\evil.example"],
)
def test_signing_in_never_leads_elsewhere(client: Client, target: str) -> None:
    user = make_user()
    answer = sign_in(client, user.email, next=target)
    assert answer["Location"] == "/console/"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: Client) -> None:
    make_page()
    user = make_user()

    def answer(email: str) -> str:
        page = sign_in(client, email, "wrong").content.decode()
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page).replace(email, "ADDRESS")

    known = answer(user.email)
    assert "The email address or password is incorrect." in known
    assert known == answer("nobody@example.org")
    assert not is_signed_in(client)


def test_a_wrong_password_keeps_the_address_and_moves_on_to_the_password(client: Client) -> None:
    user = make_user()
    page = sign_in(client, user.email, "wrong").content.decode()
    assert f'value="{user.email}"' in page
    assert [name for name in re.findall(r"<input[^>]*autofocus[^>]*>", page) if 'type="password"' in name]
    assert "wrong" not in re.findall(r'value="([^"]*)"', page)


def test_the_form_helps_password_managers(client: Client) -> None:
    make_page()
    page = client.get("/accounts/login/").content.decode()
    address, password = re.findall(r"<input[^>]*(?:type=\"email\"|type=\"password\")[^>]*>", page)
    assert 'autocomplete="username"' in address
    assert "autofocus" in address
    assert 'autocomplete="current-password"' in password
    assert page.count("<h1") == 1


def test_tab_goes_from_the_address_to_the_password(client: Client) -> None:
    make_page()
    main = client.get("/accounts/login/").content.decode().partition("<form")[2]
    assert main.index('type="email"') < main.index('type="password"') < main.index("Forgot your password?")


@one_moment
def test_guessing_is_stopped_also_for_the_right_guess(client: Client) -> None:
    user = make_user()
    for _ in range(10):
        sign_in(client, user.email, "wrong")
    page = sign_in(client, user.email).content.decode()
    assert re.search(r"Too many attempts. Try again in \d minutes?\.", page)
    assert not is_signed_in(client)


@one_moment
def test_signing_in_often_is_not_guessing(client: Client) -> None:
    user = make_user()
    for _ in range(12):
        client.logout()
        sign_in(client, user.email)
    assert is_signed_in(client)


@one_moment
def test_a_right_password_does_not_wipe_out_earlier_guesses(client: Client) -> None:
    user = make_user()
    for _ in range(9):
        sign_in(client, user.email, "wrong")
    sign_in(client, user.email)
    client.logout()
    sign_in(client, user.email, "wrong")
    assert "Too many attempts" in sign_in(client, user.email).content.decode()


@one_moment
def test_guessing_elsewhere_does_not_lock_anybody_out(client: Client) -> None:
    user = make_user()
    for _ in range(11):
        client.post("/accounts/login/", {"login": user.email, "password": "wrong"}, REMOTE_ADDR="203.0.113.9")
    sign_in(client, user.email)
    assert is_signed_in(client)


@one_moment
def test_another_host_name_is_no_second_chance_to_guess(client: Client) -> None:
    user = make_user()
    for number in range(11):
        data = {"login": user.email, "password": "wrong"}
        page = client.post("/accounts/login/", data, headers={"host": f"h{number}.example.org"}).content.decode()
    assert "Too many attempts" in page


def test_somebody_who_left_cannot_sign_in(client: Client) -> None:
    make_page()
    user = make_user()
    User.objects.update(is_active=False)
    answer = sign_in(client, user.email)
    assert answer["Location"] == "/accounts/inactive/"
    assert not is_signed_in(client)
    assert b"deactivated" in client.get("/accounts/inactive/").content


def test_signing_out_asks_and_then_ends_the_session(client: Client) -> None:
    make_page()
    client.force_login(make_user())
    assert b"Sign out?" in client.get("/accounts/logout/").content
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["signup/", "email/", "confirm-email/", "reauthenticate/", "password/set/", ""])
def test_what_we_do_not_offer_is_not_there(client: Client, path: str) -> None:
    make_page()
    client.force_login(make_user())
    answer = client.get(f"/accounts/{path}")
    assert answer.status_code == 404
    assert b"This page does not exist." in answer.content


def test_a_forgotten_password_is_replaced_by_mail(client: Client) -> None:
    make_page()
    user = make_user()
    answer = ask_for_reset(client, user.email)
    assert answer["Location"] == "/accounts/password/reset/done/"
    assert b"Check your inbox" in client.get(answer["Location"]).content
    form = client.get(reset_link(), follow=True)
    assert b"Set a new password" in form.content
    where = form.redirect_chain[-1][0]
    client.post(where, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    sign_in(client, user.email, NEW_PASSWORD)
    assert is_signed_in(client)


def test_the_link_never_follows_the_host_header(client: Client) -> None:
    user = make_user()
    data = {"email": user.email}
    client.post("/accounts/password/reset/", data, headers={"host": "evil.example"})
    drain()
    (received,) = mail.outbox
    assert "evil.example" not in str(received.message())
    assert f"{settings.SITE_URL}/accounts/password/reset/key/" in str(received.body)


def test_a_link_works_once(client: Client) -> None:
    make_page()
    user = make_user()
    ask_for_reset(client, user.email)
    link = reset_link()
    where = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(where, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert b"This link is no longer valid." in client.get(link).content


def test_an_old_link_does_not_work(client: Client) -> None:
    make_page()
    user = make_user()
    ask_for_reset(client, user.email)
    link = reset_link()
    with time_machine.travel(timezone.now() + timedelta(hours=5)):
        assert b"This link is no longer valid." in client.get(link).content


def test_asking_for_an_unknown_address_looks_the_same_and_sends_nothing(client: Client) -> None:
    make_page()
    answer = ask_for_reset(client, "nobody@example.org")
    assert answer["Location"] == "/accounts/password/reset/done/"
    drain()
    assert mail.outbox == []


def test_nobody_can_flood_a_mailbox_with_links(client: Client) -> None:
    make_page()
    user = make_user()
    answers = []
    for _ in range(5):
        answers.append(ask_for_reset(client, user.email).status_code)
        drain()
    assert answers == [302, 302, 302, 429, 429]
    assert len(mail.outbox) == 3


@pytest.mark.parametrize(
    ("first", "second", "complaint"),
    [
        ("short", "short", "too short"),
        ("123456789987654321", "123456789987654321", "too common"),
        (NEW_PASSWORD, "something else entirely", "same password"),
        ("", "", "This field is required"),
    ],
)
def test_a_bad_new_password_is_refused_beside_the_field(
    client: Client, first: str, second: str, complaint: str
) -> None:
    make_page()
    user = make_user()
    ask_for_reset(client, user.email)
    where = client.get(reset_link(), follow=True).redirect_chain[-1][0]
    page = client.post(where, {"password1": first, "password2": second}).content.decode()
    assert complaint in page
    assert 'aria-invalid="true"' in page
    assert User.objects.get().check_password(PASSWORD)


def test_changing_the_password_asks_for_the_present_one_and_keeps_the_session(client: Client) -> None:
    make_page()
    user = make_user()
    elsewhere = Client()
    elsewhere.force_login(user)
    client.force_login(user)
    data = {"oldpassword": "wrong", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert b"This is not your current password." in client.post("/accounts/password/change/", data).content
    answer = client.post("/accounts/password/change/", {**data, "oldpassword": PASSWORD})
    assert answer["Location"] == "/console/"
    assert User.objects.get().check_password(NEW_PASSWORD)
    assert client.get("/accounts/password/change/").status_code == 200
    assert elsewhere.get("/accounts/password/change/").status_code == 302


def test_the_pages_of_signing_in_are_not_kept_by_caches(client: Client) -> None:
    make_page()
    assert "no-store" in client.get("/accounts/login/")["Cache-Control"]


def test_everything_works_before_there_is_a_page(client: Client) -> None:
    assert client.get("/accounts/login/").status_code == 200
