from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from incidents.actions.pages.page_settings import create_page
from incidents.models import AuditEntry, Event, Page
from tests.console.staff import fill_in, invalid_controls, parsed_page, signed_in
from tests.factories import ALICE, make_page

pytestmark = pytest.mark.django_db

PATH = "/console/p/acme/settings"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def owner(page: Page) -> Client:
    return signed_in("owner", name="Olga")


def save(client: Client, **typed: str) -> Any:
    return client.post(PATH, fill_in(client, PATH, **typed))


def test_an_owner_changes_what_the_page_says_and_visitors_see_it(owner: Client, page: Page) -> None:
    typed = {"name": "Acme Cloud", "footer": "Acme GmbH, Berlin", "support_url": "acme.example/help"}
    answer = save(owner, time_zone="Europe/Berlin", **typed)
    assert answer.status_code == 302
    public = Client().get("/").content.decode()
    for expected in ("Acme Cloud", "Acme GmbH, Berlin", "https://acme.example/help"):
        assert expected in public
    entry = AuditEntry.objects.get()
    assert (entry.actor_label, entry.details["before"]["name"]) == ("Olga", "Acme")
    assert Event.objects.get().kind == "page.changed"


def test_what_was_not_touched_is_not_recorded(owner: Client) -> None:
    assert save(owner).status_code == 302
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("domain", "https://status.example.com/"),
        ("domain", "other.example.com"),
        ("support_url", "javascript:alert(1)"),
        ("time_zone", "Mars/Olympus"),
        ("accent", "red"),
        ("accent", "#ffee00"),
        ("accent_dark", "#111111"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    owner: Client, page: Page, field: str, value: str
) -> None:
    make_page(name="Other", domain="other.example.com")
    answer = save(owner, footer="New", **{field: value})
    assert answer.status_code == 422
    assert [control.attributes["name"] for control in invalid_controls(parsed_page(answer))] == [field]
    page.refresh_from_db()
    assert page.footer == ""


def test_a_colour_that_cannot_be_read_is_answered_with_one_that_can(owner: Client) -> None:
    answer = save(owner, accent="#ff6600").content.decode()
    suggestion = answer.split("The nearest readable color is ")[1][:7]
    assert save(owner, accent=suggestion).status_code == 302


def test_the_accent_is_a_stylesheet_of_its_own_and_absent_without_one(owner: Client, page: Page) -> None:
    assert "accent-" not in Client().get("/").content.decode()
    save(owner, accent="#7A1FA2")
    public = Client().get("/").content.decode()
    address = next(part for part in public.split('"') if part.startswith("/accent-"))
    answer = Client().get(address)
    assert answer["Content-Type"].startswith("text/css")
    assert ":root{--accent:#7a1fa2}" in answer.content.decode()
    assert "prefers-color-scheme:dark" in answer.content.decode()
    assert Client().get("/accent-000000-ffffff.css").status_code == 404


def test_only_owners_may(page: Page) -> None:
    assert signed_in("editor").get(PATH).status_code == 403


def test_a_page_is_made_with_a_host_name_only(page: Page) -> None:
    with pytest.raises(ValidationError) as refused:
        create_page(name="Bad", domain="https://status.example.com", actor=ALICE)
    assert "domain" in refused.value.message_dict


def test_an_old_tab_takes_nothing_back_that_somebody_else_has_set_since(owner: Client, page: Page) -> None:
    old = fill_in(owner, PATH, name="Acme Cloud")
    save(owner, footer="Acme GmbH, Berlin")
    answer = owner.post(PATH, old)
    assert answer.status_code == 422
    assert "Someone else changed these settings" in answer.content.decode()
    page.refresh_from_db()
    assert (page.name, page.footer) == ("Acme", "Acme GmbH, Berlin")
