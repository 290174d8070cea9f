import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.models import AuditEntry, Page
from statuspage.accounts.models import User
from tests.console.staff import parsed_page, signed_in
from tests.factories import PASSWORD, make_page, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def boss(page: Page) -> User:
    return make_user("owner", email="boss@example.org")


@pytest.fixture
def owner(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def text_of(answer: Any) -> str:
    return parsed_page(answer).text


def add(client: Client, **typed: str) -> Any:
    return client.post(
        "/console/p/acme/people", {"email": "dana@example.org", "name": "Dana", "role": "editor"} | typed
    )


def password_in(answer: Any) -> str:
    match = re.search(r"<code>(\w{16})</code>", answer.content.decode())
    assert match
    return match.group(1)


def test_an_owner_adds_somebody_whose_password_is_shown_once(owner: Client) -> None:
    answer = add(owner, email="Dana@Example.org")
    assert "This password is shown only once." in text_of(answer)
    password = password_in(answer)
    dana = User.objects.get(email="dana@example.org")
    assert (dana.role, dana.name, dana.check_password(password)) == ("editor", "Dana", True)
    assert password not in owner.get("/console/p/acme/people").content.decode()
    assert AuditEntry.objects.get(verb="person.added").details == {"role": "editor"}
    visitor = Client()
    visitor.post("/accounts/login/", {"login": "dana@example.org", "password": password})
    assert visitor.get("/console/p/acme/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("email", "", "Enter an email address."),
        ("email", "dana", "Enter a complete email address."),
        ("email", "dana@example.org\r\nBcc: x@example.org", "Enter a complete email address."),
        ("email", "BOSS@example.org", "A user with this email address already exists."),
        ("name", "x" * 101, "at most 100 characters"),
        ("role", "emperor", "Select a valid choice."),
    ],
)
def test_bad_input_is_refused_beside_the_field_and_nobody_is_added(
    owner: Client, field: str, value: str, complaint: str
) -> None:
    answer = add(owner, **{field: value})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert re.search(rf'<p class="error" id="id_{field}_error">[^<]*{re.escape(complaint)}', html)
    assert 'value="Dana"' in html or field == "name"
    assert User.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_a_second_click_adds_nobody(owner: Client) -> None:
    add(owner)
    assert add(owner).status_code == 422
    assert User.objects.count() == 2


def test_a_role_is_changed_and_holds_at_once(owner: Client) -> None:
    kim = make_user("viewer")
    theirs = Client()
    theirs.force_login(kim)
    assert theirs.get("/console/p/acme/components/new").status_code == 403
    owner.post(f"/console/p/acme/people/{kim.pk}/role", {"role": "editor"})
    assert theirs.get("/console/p/acme/components/new").status_code == 200
    assert AuditEntry.objects.get(verb="person.role").details == {"old": "viewer", "new": "editor"}


def test_a_made_up_role_is_refused(owner: Client) -> None:
    kim = make_user("viewer")
    answer = owner.post(f"/console/p/acme/people/{kim.pk}/role", {"role": "emperor"}, follow=True)
    assert "is not a role" in text_of(answer)
    kim.refresh_from_db()
    assert kim.role == "viewer"


def test_who_is_switched_off_is_signed_out_and_signs_in_anew_when_switched_on(owner: Client) -> None:
    kim = make_user("editor")
    theirs = Client()
    theirs.force_login(kim)
    owner.post(f"/console/p/acme/people/{kim.pk}/active")
    assert theirs.get("/console/p/acme/").status_code == 302
    owner.post(f"/console/p/acme/people/{kim.pk}/active", {"on": "1"})
    assert theirs.get("/console/p/acme/").status_code == 302
    assert owner.get("/console/p/acme/").status_code == 200
    assert theirs.post("/accounts/login/", {"login": kim.email, "password": PASSWORD})["Location"] == "/console/"


def test_a_new_password_replaces_the_old_one_and_ends_sessions(owner: Client) -> None:
    kim = make_user("editor")
    theirs = Client()
    theirs.force_login(kim)
    password = password_in(owner.post(f"/console/p/acme/people/{kim.pk}/password"))
    kim.refresh_from_db()
    assert kim.check_password(password)
    assert theirs.get("/console/p/acme/").status_code == 302


def test_ones_own_password_is_changed_by_oneself(owner: Client, boss: User) -> None:
    assert owner.post(f"/console/p/acme/people/{boss.pk}/password")["Location"] == "/accounts/password/change/"
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


@pytest.mark.parametrize(("path", "data"), [("role", {"role": "editor"}), ("active", {})])
def test_the_last_owner_stays(owner: Client, boss: User, path: str, data: dict[str, str]) -> None:
    make_user("owner")
    User.objects.exclude(pk=boss.pk).update(is_active=False)
    answer = owner.post(f"/console/p/acme/people/{boss.pk}/{path}", data, follow=True)
    assert "A page needs at least one owner." in text_of(answer)
    boss.refresh_from_db()
    assert (boss.role, boss.is_active) == ("owner", True)
    assert not AuditEntry.objects.exists()


def test_an_owner_may_step_down_when_another_stays(owner: Client, boss: User) -> None:
    make_user("owner")
    answer = owner.post(f"/console/p/acme/people/{boss.pk}/role", {"role": "viewer"})
    assert answer["Location"] == "/console/p/acme/"
    assert owner.get("/console/p/acme/people").status_code == 403


def test_people_are_the_owners_business(page: Page) -> None:
    editor = signed_in("editor")
    kim = make_user("viewer")
    assert editor.get("/console/p/acme/people").status_code == 403
    for path in ("", f"/{kim.pk}/role", f"/{kim.pk}/active", f"/{kim.pk}/password"):
        assert editor.post(f"/console/p/acme/people{path}", {"role": "owner"}).status_code == 403
    kim.refresh_from_db()
    assert (kim.role, kim.is_active, kim.check_password(PASSWORD)) == ("viewer", True, True)


def test_somebody_unknown_is_not_found(owner: Client) -> None:
    assert owner.post("/console/p/acme/people/999999/role", {"role": "editor"}).status_code == 404


def test_many_people_cost_as_many_queries_as_few(
    owner: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(30):
        make_user("viewer")
    with django_assert_max_num_queries(7):
        assert owner.get("/console/p/acme/people").content.decode().count("<tr ") == 31
