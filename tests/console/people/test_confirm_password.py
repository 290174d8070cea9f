"""Sensitive changes require a password entered within 15 minutes. What was typed is kept across the question."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Page
from statuspage.accounts.models import ApiToken, User
from statuspage.subscribers.models import Channel
from tests.console.staff import fields_of, form_to, parsed_page
from tests.factories import PASSWORD, make_page, make_subscriber, make_user

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=16)


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def owner(page: Page) -> Client:
    client = Client()
    client.force_login(make_user("owner"))
    return client


@pytest.fixture
def other(page: Page) -> User:
    return make_user("viewer", name="Bob")


def later(minutes: int = 16) -> Any:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


def sensitive_posts(page: Page, other: User) -> list[tuple[str, dict[str, str]]]:
    webhook = make_subscriber(page, channel=Channel.WEBHOOK, endpoint="https://hooks.example.com/x")
    return [
        ("people", {"email": "new@example.org", "name": "New", "role": "editor"}),
        (f"people/{other.pk}/role", {"role": "owner"}),
        (f"people/{other.pk}/active", {}),
        (f"people/{other.pk}/password", {}),
        ("tokens", {"name": "deploy", "scopes": "read", "days": "30"}),
        (f"channels/{webhook.public_id}/secret", {}),
    ]


def test_every_sensitive_change_asks_for_the_password_and_changes_nothing_before(
    owner: Client, page: Page, other: User
) -> None:
    posts = sensitive_posts(page, other)
    with later():
        for path, data in posts:
            answer = owner.post(f"/console/p/acme/{path}", data)
            assert answer.status_code == 403, path
            assert parsed_page(answer).one("h1").text == "Confirm your password", path
    assert not AuditEntry.objects.exists()


def test_right_after_signing_in_nothing_is_asked(owner: Client, page: Page, other: User) -> None:
    for path, data in sensitive_posts(page, other):
        answer = owner.post(f"/console/p/acme/{path}", data)
        assert "Confirm your password" not in answer.content.decode(), path


def test_the_typed_form_is_sent_with_the_password(owner: Client) -> None:
    typed = {"name": 'deploy "script" <1>', "scopes": ["incidents:write", "components:write"], "days": "90"}
    with later():
        question = owner.post("/console/p/acme/tokens", typed)
        form = fields_of(form_to(parsed_page(question)))
        made = owner.post("/console/p/acme/tokens", {**form, "confirm-password": [PASSWORD]})
        assert made.status_code == 200
    token = ApiToken.objects.get()
    assert (token.name, token.scopes) == (typed["name"], typed["scopes"])


def test_a_wrong_password_asks_again_and_keeps_the_form(owner: Client) -> None:
    with later():
        answer = owner.post("/console/p/acme/tokens", {"name": "deploy", "scopes": "read", "confirm-password": "wrong"})
    assert answer.status_code == 422
    document = parsed_page(answer)
    assert fields_of(form_to(document))["name"] == ["deploy"]
    assert "password" in document.one("p", class_="error").text.lower()
    assert "wrong" not in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_button_with_a_value_and_the_query_string_are_kept(owner: Client, other: User) -> None:
    User.objects.filter(pk=other.pk).update(is_active=False)
    with later():
        path = f"/console/p/acme/people/{other.pk}/active?page=1&q=bob"
        form = fields_of(form_to(parsed_page(owner.post(path, {"on": "1"}))))
        answer = owner.post(path, {**form, "confirm-password": [PASSWORD]})
    assert answer.status_code == 302
    assert "q=bob" in answer["Location"]
    assert User.objects.get(pk=other.pk).is_active


def test_once_entered_it_counts_for_fifteen_minutes(owner: Client) -> None:
    start = timezone.now()
    data = {"name": "deploy", "scopes": "read", "days": "30"}
    for minutes, more, asked in (
        (16, {}, True),
        (16, {"confirm-password": PASSWORD}, False),
        (30, {}, False),
        (32, {}, True),
    ):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            answer = owner.post("/console/p/acme/tokens", {**data, **more})
        assert ("Confirm your password" in answer.content.decode()) is asked, minutes


def test_guessing_the_password_here_is_limited_too(owner: Client) -> None:
    with later():
        for _ in range(11):
            answer = owner.post("/console/p/acme/tokens", {"name": "x", "scopes": "read", "confirm-password": "wrong"})
    assert "Too many attempts" in answer.content.decode()
