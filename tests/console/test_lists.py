"""Lists that grow: a screenful at a time, narrowed by words, and back where one was."""

from pathlib import Path

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client
from pytest_django import Settings

from incidents.actions.pages import incident_templates as template_actions
from incidents.models import Page
from statuspage.accounts import tokens
from statuspage.accounts.models import User
from statuspage.console.channels import mail_files
from tests.console.staff import parsed_page, signed_in
from tests.factories import ALICE, make_component, make_endpoint, make_page, make_user
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def owner(page: Page) -> Client:
    return signed_in("owner", email="zoe@example.org")


def rows(document: Element) -> list[str]:
    return [row.text for body in document.all("tbody") for row in body.all("tr")]


def walked(client: Client, path: str) -> list[int]:
    """How many rows each page of the list has, following its links."""
    counts, address = [], path
    while address:
        document = parsed_page(client.get(address))
        counts.append(len(rows(document)))
        links = document.all("a", rel="next")
        address = path.partition("?")[0] + links[0].attributes["href"] if links else ""
    return counts


def people(number: int) -> None:
    User.objects.bulk_create(User(email=f"person{n}@example.com", name=f"Person {n}") for n in range(number))


def test_people_page_and_are_found_by_name_or_address(owner: Client) -> None:
    assert not parsed_page(owner.get("/console/p/acme/people")).all("form", class_="list-filter")
    people(60)
    make_user("viewer", name="Ann Ode", email="ann@acme.example")
    assert walked(owner, "/console/p/acme/people") == [50, 12]
    assert walked(owner, "/console/p/acme/people?q=person") == [50, 10]
    assert len(rows(parsed_page(owner.get("/console/p/acme/people?q=ode+ACME")))) == 1
    assert "No people match “nobody”" in parsed_page(owner.get("/console/p/acme/people?q=nobody")).text


def test_who_changes_a_role_is_back_where_they_were(owner: Client) -> None:
    people(60)
    document = parsed_page(owner.get("/console/p/acme/people?page=2&q=person"))
    form = next(form for form in document.all("form") if form.attributes.get("class") == "role-form")
    answer = owner.post(form.attributes["action"], {"role": "editor"})
    assert answer["Location"] == "/console/p/acme/people?page=2&q=person"


def test_tokens_incident_templates_and_reports_are_paginated(owner: Client, page: Page) -> None:
    for number in range(51):
        tokens.create(page, name=f"Token {number}", scopes=["read"], actor=ALICE)
        name = f"Template {number:02}"
        template_actions.create_incident_template(page, name=name, title="We are down", body="Words.", actor=ALICE)
    for number in range(101):
        make_component(page, f"Part {number}")
    assert walked(owner, "/console/p/acme/tokens") == [50, 1]
    assert walked(owner, "/console/p/acme/reports") == [100, 1]
    second = parsed_page(owner.get("/console/p/acme/incident-templates?page=2"))
    assert "Template 50" in second.text
    assert second.one("a", rel="prev").text == "Previous"


def test_channels_are_found_by_name_and_only_by_those_who_read_them_by_address(owner: Client, page: Page) -> None:
    for number in range(60):
        make_endpoint(page, f"https://hooks.example.com/{number}", name=f"Team {number}")
    assert walked(owner, "/console/p/acme/channels?q=team") == [50, 10]
    assert walked(owner, "/console/p/acme/channels?q=hooks.example") == [50, 10]
    viewer = signed_in("viewer")
    assert walked(viewer, "/console/p/acme/channels?q=team") == [50, 10]
    assert (
        "No channels match “hooks.example”." in parsed_page(viewer.get("/console/p/acme/channels?q=hooks.example")).text
    )


@pytest.fixture
def letters(settings: Settings, tmp_path: Path) -> None:
    settings.MAIL_DIR, settings.EMAIL_URL = tmp_path, ""
    connection = get_connection("statuspage.notifications.transports.eml_files.EmlBackend")
    for number in range(52):
        to = f"reader{number}@example.org"
        EmailMessage(f"Größere Störung {number}", "Text", "a@example.org", [to], connection=connection).send()


def test_mails_are_found_by_subject_or_address(owner: Client, letters: None) -> None:
    assert walked(owner, "/console/p/acme/mail?q=störung") == [50, 2]
    assert len(rows(parsed_page(owner.get("/console/p/acme/mail?q=GRÖSSERE+reader51")))) == 1
    assert "No emails match “nobody”" in parsed_page(owner.get("/console/p/acme/mail?q=nobody")).text


def test_a_search_in_very_many_mails_says_how_far_it_looked(
    owner: Client, letters: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_files, "SEARCHED", 10)
    document = parsed_page(owner.get("/console/p/acme/mail?q=reader"))
    assert len(rows(document)) == 10
    assert "Searched the newest 10 emails." in document.text
    assert "Searched" not in parsed_page(owner.get("/console/p/acme/mail")).text


@pytest.mark.parametrize("path", ["people", "channels", "mail", "incidents", "subscribers", "tokens"])
@pytest.mark.parametrize("query", ["q=%00", "q=%25_", "page=abc&q=%F0%9F%92%A9", f"q={'x' * 5000}", "page=-1"])
def test_odd_words_break_no_list(owner: Client, path: str, query: str) -> None:
    assert owner.get(f"/console/p/acme/{path}?{query}").status_code in (200, 422)
