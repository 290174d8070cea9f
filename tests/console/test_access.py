"""Who gets in: every view of the console is asked, by its URL pattern."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern

from incidents.models import AuditEntry, Event
from statuspage.accounts.models import Role, User
from tests.console.pages import entries, url_of
from tests.console.staff import parsed_page, signed_in
from tests.factories import make_incident, make_page, make_user, post

pytestmark = pytest.mark.django_db


def access_of(entry: URLPattern) -> Role | None:
    return getattr(entry.callback, "access", None)


CONSOLE = entries()
ALL = [pytest.param(entry, id=str(entry.pattern)) for entry in CONSOLE]
WRITING = [pytest.param(entry, id=str(entry.pattern)) for entry in CONSOLE if access_of(entry) != Role.VIEWER]
READING = [entry for entry in CONSOLE if access_of(entry) == Role.VIEWER and not entry.pattern.converters]


@pytest.fixture(autouse=True)
def page() -> Any:
    return make_page()


def test_the_walk_sees_the_console() -> None:
    assert len(CONSOLE) >= 20
    assert {entry.name for entry in CONSOLE} >= {"dashboard", "declare", "post_update", "components", "postmortem"}


@pytest.mark.parametrize("entry", ALL)
def test_every_view_says_who_may_call_it(entry: URLPattern) -> None:
    assert access_of(entry) in Role


@pytest.mark.parametrize("entry", ALL)
def test_strangers_are_sent_to_the_sign_in_and_back(client: Client, entry: URLPattern) -> None:
    answer = client.get(url_of(entry), {"page": "2"})
    if answer.status_code == 405:
        assert access_of(entry) != Role.VIEWER, "there is nothing to get"
        return
    assert answer.status_code == 302
    path, _, query = answer["Location"].partition("?")
    assert path == "/accounts/login/"
    assert query.startswith("next=%2Fconsole%2Fp%2Facme%2F")
    assert query.endswith("%3Fpage%3D2")


@pytest.mark.parametrize("entry", ALL)
def test_strangers_change_nothing(client: Client, entry: URLPattern) -> None:
    answer = client.post(url_of(entry), {"status": "resolved"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=%2Fconsole%2Fp%2Facme%2F")
    assert not Event.objects.exists()


@pytest.mark.parametrize("entry", ALL)
def test_a_fragment_asked_for_by_a_stranger_says_so_and_moves_nobody_away(client: Client, entry: URLPattern) -> None:
    answer = client.post(url_of(entry), {"body": "Half a sentence"}, headers={"hx-request": "true"})
    assert answer.status_code == 401
    assert "Location" not in answer.headers
    assert "HX-Redirect" not in answer.headers
    assert "Your text is still in the form" in parsed_page(answer).text
    assert parsed_page(answer).one("a").attributes["href"] == "/accounts/login/?next=%2Fconsole%2Fp%2Facme%2F"


@pytest.mark.parametrize("entry", WRITING)
def test_viewers_are_kept_from_every_view_that_writes(entry: URLPattern) -> None:
    answer = signed_in("viewer").post(url_of(entry))
    assert answer.status_code == 403
    assert "Permission required" in parsed_page(answer).one("h1").text
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("entry", READING, ids=lambda entry: entry.name)
def test_viewers_read_what_is_to_be_read(entry: URLPattern) -> None:
    assert signed_in("viewer").get(url_of(entry), follow=True).status_code == 200


def test_viewers_read_an_incident_and_are_offered_nothing_that_they_may_not_do(page: Any) -> None:
    incident = make_incident(page)
    viewer = signed_in("viewer")
    for path in ("/console/p/acme/", "/console/p/acme/incidents", f"/console/p/acme/incidents/{incident.public_id}"):
        document = parsed_page(viewer.get(path))
        assert [form.attributes["action"] for form in document.all("form", method="post")] == ["/accounts/logout/"]
        offers = [link.text for link in document.one("main").all("a", class_="button")]
        assert offers == []


def test_what_only_owners_see_is_not_shown_to_editors() -> None:
    for entry in CONSOLE:
        if access_of(entry) == Role.OWNER:
            assert signed_in("editor").get(url_of(entry)).status_code == 403
            assert signed_in("owner").get(url_of(entry)).status_code != 403


def test_a_post_after_the_session_ended_shows_what_was_typed_once_more(page: Any) -> None:
    incident = make_incident(page)
    typed = {
        "title": "A <title>",
        "body": "Ten minutes of\r\nwork",
        "status": "identified",
        "resolve-body": "It is over",
    }
    answer = Client().post(f"/console/p/acme/incidents/{incident.public_id}/update", typed)
    assert answer.status_code == 401
    document = parsed_page(answer)
    texts = [area.text for area in document.all("textarea")]
    assert texts == ["A <title>", "Ten minutes of work", "It is over"]
    assert any(link.attributes["href"].startswith("/accounts/login/?next=") for link in document.all("a"))
    assert incident.updates.count() == 1


def test_somebody_who_left_is_out_at_once() -> None:
    editor = signed_in("editor")
    User.objects.update(is_active=False)
    assert editor.get("/console/p/acme/").status_code == 302


def test_a_form_from_before_signing_in_again_changes_nothing_and_keeps_the_text(page: Any) -> None:
    incident = make_incident(page)
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("editor"))
    answer = client.post(
        f"/console/p/acme/incidents/{incident.public_id}/update", {"body": "My words", "status": "identified"}
    )
    assert answer.status_code == 403
    assert parsed_page(answer).one("h1").text == "This form expired"
    assert parsed_page(answer).one("textarea").text == "My words"
    assert incident.updates.count() == 1


def test_console_pages_are_kept_by_no_cache() -> None:
    assert "no-store" in signed_in("viewer").get("/console/p/acme/")["Cache-Control"]


def test_another_page_of_the_install_is_out_of_reach() -> None:
    elsewhere = make_incident(make_page(name="Other"))
    update = post(elsewhere)
    editor = signed_in("editor")
    for path in (f"incidents/{elsewhere.public_id}", f"updates/{update.public_id}/edit"):
        assert editor.get(f"/console/p/acme/{path}").status_code == 404
    for path in ("update", "resolve", "reopen"):
        typed = {"body": "Not mine", "status": "identified", "version": "2"}
        assert editor.post(f"/console/p/acme/incidents/{elsewhere.public_id}/{path}", typed).status_code == 404
    assert elsewhere.updates.count() == 2
