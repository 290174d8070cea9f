"""The audit log says who signed in, from where, and what was refused, and nobody can flood it."""

import pytest
import time_machine
from django.test import Client

from incidents.models import AuditEntry, Page
from incidents.transfer.restore_pages import restore_audit_log
from statuspage.accounts import sign_in_audit
from statuspage.accounts.password_reset import password_reset_url
from statuspage.accounts.user_actions import change_role
from tests.console.staff import parsed_page, signed_in
from tests.factories import PASSWORD, make_page, make_user

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "four words to remember"
one_moment = time_machine.travel("2026-11-24T10:00Z", tick=False)


@pytest.fixture(autouse=True)
def page() -> Page:
    return make_page()


def sign_in(client: Client, email: str, password: str = PASSWORD, address: str = "203.0.113.5") -> None:
    client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR=address)


def entries() -> list[tuple[str, str, str]]:
    return [
        (entry.verb, entry.actor_kind, str(entry.details.get("address", "")))
        for entry in AuditEntry.objects.order_by("pk")
    ]


def test_signing_in_and_out_are_recorded_with_the_address(client: Client) -> None:
    user = make_user()
    sign_in(client, user.email)
    client.post("/accounts/logout/", REMOTE_ADDR="203.0.113.5")
    assert entries() == [
        ("person.signed_in", "user", "203.0.113.5"),
        ("person.signed_out", "user", "203.0.113.5"),
    ]


def test_a_wrong_password_is_recorded_for_the_account_and_not_as_the_persons_act(client: Client) -> None:
    user = make_user()
    sign_in(client, user.email, "wrong")
    sign_in(client, "nobody@example.org", "wrong", "203.0.113.6")
    assert entries() == [
        ("person.sign_in_failed", "system", "203.0.113.5"),
        ("person.unknown_failed", "system", "203.0.113.6"),
    ]
    assert "nobody@example.org" not in str(AuditEntry.objects.values_list())


@one_moment
def test_guessing_leaves_two_entries_per_account_and_address(client: Client) -> None:
    user = make_user()
    for _ in range(15):
        sign_in(client, user.email, "wrong")
    assert [verb for verb, _, _ in entries()] == ["person.sign_in_failed", "person.sign_in_blocked"]


@one_moment
def test_guessing_from_everywhere_leaves_a_bounded_number_of_entries(client: Client) -> None:
    for number in range(sign_in_audit.FAILURES_PER_HOUR + 20):
        sign_in(client, f"user{number}@example.org", "wrong", f"198.51.100.{number}")
    assert AuditEntry.objects.count() == sign_in_audit.FAILURES_PER_HOUR


def test_a_password_changed_and_one_set_by_link_are_recorded(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post("/accounts/password/change/", data)
    visitor = Client()
    where = visitor.get(password_reset_url(user_again := type(user).objects.get()), follow=True).redirect_chain[-1][0]
    visitor.post(where, {"password1": f"{NEW_PASSWORD} 2", "password2": f"{NEW_PASSWORD} 2"})
    assert entries() == [
        ("person.password_changed", "user", "127.0.0.1"),
        ("person.password_reset", "user", "127.0.0.1"),
    ]
    assert AuditEntry.objects.filter(actor_ref=str(user_again.pk)).count() == 2
    assert not user.sessions.exists()


def test_signing_in_before_a_page_is_restored_does_not_keep_its_audit_log_away(client: Client, page: Page) -> None:
    user = make_user("owner")
    sign_in(client, user.email, "wrong")
    sign_in(client, user.email)
    assert restore_audit_log(page, []) == (0, True)
    change_role(page, make_user("viewer"), "editor", by=user)
    assert restore_audit_log(page, []) == (0, False)


def test_the_page_shows_sentences(page: Page) -> None:
    ann, bob = make_user("owner", name="Ann"), make_user("viewer", name="Bob")
    client = Client()
    sign_in(client, ann.email, "wrong")
    sign_in(client, ann.email)
    change_role(page, bob, "editor", by=ann)
    text = parsed_page(signed_in("editor").get("/console/p/acme/audit")).text
    for sentence in ("Candor refused a wrong password for “Ann”", "Ann signed in", "Ann changed the role of “Bob”"):
        assert sentence in text
    assert "203.0.113.5" in text
