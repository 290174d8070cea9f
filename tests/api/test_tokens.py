"""Tokens: made once, kept as hashes, and good for nothing when they have expired or were revoked."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Page
from statuspage.accounts import tokens
from statuspage.accounts.models import ApiToken
from tests.api.programs import Program, make_program
from tests.console.staff import parsed_page, signed_in
from tests.factories import ALICE, make_page


@pytest.fixture
def owner(page: Page) -> Client:
    return signed_in("owner")


def make(client: Client, **typed: Any) -> Any:
    return client.post("/console/p/acme/tokens", {"name": "Pager", "scopes": ["incidents:write"], "days": "90"} | typed)


def secret_in(response: Any) -> str:
    match = re.search(r"candor_[\w-]{43}", response.content.decode())
    assert match
    return match.group()


def test_an_owner_creates_a_token_that_is_shown_once_and_works(owner: Client, page: Page) -> None:
    response = make(owner)
    secret = secret_in(response)
    assert "shown only once" in parsed_page(response).text
    assert secret not in owner.get("/console/p/acme/tokens").content.decode()
    assert secret[:11] in owner.get("/console/p/acme/tokens").content.decode()
    token = ApiToken.objects.get()
    assert (token.name, token.scopes, token.page) == ("Pager", ["incidents:write"], page)
    assert token.expires_at
    assert timedelta(days=89) < token.expires_at - timezone.now() < timedelta(days=91)
    program = Program(page, secret, token)
    program.post("/incidents", {"incident": {"name": "Boom"}})
    entry = AuditEntry.objects.get(verb="token.made")
    assert entry.details["name"] == "Pager"
    assert secret not in str(entry.details)


def test_the_database_stores_no_secret(program: Program) -> None:
    row = ApiToken.objects.values().get()
    assert program.secret not in map(str, row.values())
    assert program.secret.startswith(row["prefix"])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "This field is required."),
        ("name", "x" * 101, "at most 100 characters"),
        ("scopes", [], "Select at least one scope."),
        ("scopes", ["everything"], "Select a valid choice."),
        ("days", "7000", "Select a valid choice."),
    ],
)
def test_invalid_input_is_rejected_beside_its_field(owner: Client, field: str, value: Any, message: str) -> None:
    response = make(owner, **{field: value})
    assert response.status_code == 422
    assert re.search(rf'<p class="error" id="id_{field}_error">[^<]*{re.escape(message)}', response.content.decode())
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_rejected(owner: Client, page: Page) -> None:
    program = make_program(page)
    assert program.request("GET", "").status_code == 200
    for _ in range(2):
        owner.post(f"/console/p/acme/tokens/{program.token.public_id}/revoke")
    assert program.request("GET", "").status_code == 401
    assert "Revoked" in parsed_page(owner.get("/console/p/acme/tokens")).text
    assert AuditEntry.objects.filter(verb="token.revoked").count() == 1


def test_an_expired_token_is_rejected(owner: Client, page: Page) -> None:
    program = make_program(page, expires_at=timezone.now() + timedelta(days=1))
    assert program.request("GET", "").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert program.request("GET", "").status_code == 401
    assert "Expired" in parsed_page(owner.get("/console/p/acme/tokens")).text


def test_the_last_use_is_saved_at_most_once_a_minute(program: Program) -> None:
    program.get("")
    program.token.refresh_from_db()
    first = program.token.last_used_at
    assert first
    program.get("")
    program.token.refresh_from_db()
    assert program.token.last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    program.get("")
    program.token.refresh_from_db()
    assert program.token.last_used_at
    assert program.token.last_used_at >= first


def test_only_owners_manage_tokens(page: Page) -> None:
    program = make_program(page)
    editor = signed_in("editor")
    assert editor.get("/console/p/acme/tokens").status_code == 403
    assert make(editor).status_code == 403
    assert editor.post(f"/console/p/acme/tokens/{program.token.public_id}/revoke").status_code == 403
    assert program.request("GET", "").status_code == 200


def test_a_token_of_another_page_cannot_be_revoked_here(owner: Client) -> None:
    elsewhere, _ = tokens.create(make_page(name="Other"), name="Theirs", scopes=["read"], actor=ALICE)
    assert owner.post(f"/console/p/acme/tokens/{elsewhere.public_id}/revoke").status_code == 404


def test_the_queries_of_the_token_list_do_not_grow_with_its_length(
    owner: Client, page: Page, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        make_program(page, name=f"Program {number}")
    with django_assert_max_num_queries(7):
        assert owner.get("/console/p/acme/tokens").content.decode().count("Revoke<") == 20


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("create_token", *arguments, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_a_token_and_nothing_else(page: Page) -> None:
    secret = command("Deploy", "--page", page.public_id, "--scope", "read", "--scope", "components:write")
    token = ApiToken.objects.get()
    assert (token.name, token.scopes, token.expires_at) == ("Deploy", ["read", "components:write"], None)
    assert Program(page, secret, token).get("")["id"] == page.public_id


def test_the_command_needs_no_page_if_there_is_only_one(page: Page) -> None:
    assert command("Deploy", "--scope", "read", "--days", "7")
    assert ApiToken.objects.get().expires_at


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["", "--scope", "read"], "name"),
        (["x", "--scope", "read", "--page", "nosuch"], "Choose a page with --page."),
        (["x", "--scope", "read", "--days", "0"], "--days"),
        (["x", "--scope", "all"], "invalid choice"),
        (["x"], "required"),
    ],
)
def test_the_command_reports_errors(page: Page, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=re.escape(message)):
        command(*arguments)
    assert not ApiToken.objects.exists()
