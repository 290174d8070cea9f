"""Every form of the console, submitted while the database fails: 503, the reason, and every text that was typed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.db.utils import ProgrammingError
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern

from incidents.models import AuditEntry, Event, Page
from statuspage.accounts import sessions
from statuspage.accounts.models import StaffSession
from statuspage.accounts.sessions import RECORDED_EVERY
from statuspage.common.database_errors import LOCKED, DatabaseFailure
from tests.console.pages import entries, url_of, walk
from tests.console.staff import fields_of, parsed_page, signed_in
from tests.factories import make_component, make_incident, make_maintenance
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

TYPED = {
    "title": "API <outage>",
    "body": 'First line\r\n"Second" </textarea> line',
    "update1-body": "It began.",
    "tags": ["one", "two"],
    "note": "x" * 200,
}
FORMS = [pytest.param(entry, id=str(entry.pattern)) for entry in entries()]


class SqliteError(Exception):
    sqlite_errorname = "SQLITE_BUSY"


@contextmanager
def failing(*, writes_only: bool) -> Iterator[list[str]]:
    """Fail as SQLite does when another process holds the lock, or as a server that is away. Yield what failed."""
    failed: list[str] = []

    def refuse(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        if not writes_only:
            failed.append(sql)
            raise OperationalError("connection failed: connection refused")
        if not sql.lstrip(" (").upper().startswith("SELECT"):  # a union begins with a parenthesis
            failed.append(sql)
            raise OperationalError("database is locked") from SqliteError()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(refuse):
        yield failed


def values(document: Element) -> list[str]:
    """Every value that the page would submit."""
    return [value for form in document.all("form") for field in fields_of(form).values() for value in field]


@pytest.mark.parametrize("entry", FORMS)
def test_every_view_gives_the_text_back_without_a_database(page: Page, entry: URLPattern) -> None:
    client = signed_in("owner")
    with failing(writes_only=False):
        answer = client.post(url_of(entry), TYPED | {"password": "hunter2hunter2", "csrfmiddlewaretoken": "abc"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "no-store" in answer["Cache-Control"]
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    document = parsed_page(answer)
    assert "Nothing was saved." in document.text
    assert "The database does not respond." in document.text
    (form,) = document.all("form")
    assert form.attributes["action"] == url_of(entry)
    again = fields_of(form)
    assert again.pop("csrfmiddlewaretoken") != ["abc"]
    assert again.pop("password") == [""]
    shown = {name: list(map(line_ends, sent_again)) for name, sent_again in again.items()}
    assert shown == {name: [line_ends(value)] for name, value in TYPED.items()} | {"tags": ["one", "two"]}


def line_ends(value: object) -> str:
    return str(value).replace("\r\n", "\n")


@pytest.fixture
def full_page(page: Page) -> Page:
    make_component(page, "API")
    make_incident(page)
    make_maintenance(page)
    return page


def test_every_form_keeps_what_was_typed_when_its_action_cannot_write(full_page: Page) -> None:
    client = signed_in("owner")
    before = (Event.objects.count(), AuditEntry.objects.count())
    tried = 0
    for _, path in walk(client, per_name=2):
        for form in parsed_page(client.get(path)).all("form", method="post"):
            target = form.attributes.get("action") or path
            if not target.startswith("/console/"):
                continue
            typed = filled(form)
            with failing(writes_only=True) as failed:
                answer = client.post(target, typed)
            assert (answer.status_code == 503) == bool(failed), (path, target, answer.status_code)
            if not failed:
                continue
            tried += 1
            document = parsed_page(answer)
            assert answer["Retry-After"] == "5", target
            assert LOCKED.problem in document.text, target
            shown = values(document)
            lost = [value for value in texts(typed) if value not in shown]
            assert not lost, (path, target, lost)
    assert tried >= 15
    assert (Event.objects.count(), AuditEntry.objects.count()) == before


def filled(form: Element) -> dict[str, list[str]]:
    fields = fields_of(form)
    for control in form.walk():
        name, kind = control.attributes.get("name", ""), control.attributes.get("type", "text")
        if (control.tag == "textarea" or kind == "text") and name and fields.get(name) == [""]:
            fields[name] = [f"Typed into {name}"]
    return fields


def texts(typed: dict[str, list[str]]) -> list[str]:
    return [value for name, values in typed.items() for value in values if value.startswith("Typed into")]


@pytest.mark.parametrize("requires_approval", [False, True])
def test_the_form_itself_comes_back_with_the_reason(page: Page, *, requires_approval: bool) -> None:
    client = signed_in("editor")
    make_component(page, "API")
    Page.objects.update(requires_approval=requires_approval)
    path = "/console/p/acme/incidents/new"
    typed = fields_of(form_without_action(client, path)) | {"title": ["API outage"], "body": ["We are looking."]}
    with failing(writes_only=True):
        answer = client.post(path, typed)
    assert answer.status_code == 503
    document = parsed_page(answer)
    assert LOCKED.reason in document.text
    assert "Fix these errors" not in document.text
    assert document.one("textarea", name="body").text.strip() == "We are looking."
    assert len(document.all("nav")) >= 1, "the form's own page, with its navigation"
    again = client.post(path, fields_of(next(f for f in document.all("form") if not f.attributes.get("action"))))
    assert again.status_code == 302


@pytest.mark.parametrize("path", ["preview", "audience", "remarks"])
def test_what_only_reads_works_while_the_database_is_locked(page: Page, path: str) -> None:
    client = signed_in("editor")
    Page.objects.update(requires_approval=True)
    with failing(writes_only=True):
        answer = client.post(f"/console/p/acme/{path}", {"body": "We are looking."}, headers={"hx-request": "true"})
    assert answer.status_code == 200


def test_pages_and_forms_are_shown_while_the_use_of_the_session_cannot_be_stored(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, path = signed_in("editor"), "/console/p/acme/incidents/new"
    StaffSession.objects.update(last_used_at=F("last_used_at") - 2 * RECORDED_EVERY)
    typed = fields_of(form_without_action(client, path)) | {"title": ["API outage"], "body": ["We are looking."]}
    StaffSession.objects.update(last_used_at=F("last_used_at") - 2 * RECORDED_EVERY)
    attempts = []

    def describe(request: HttpRequest) -> None:
        attempts.append(request.method)
        raise OperationalError("database is locked") from SqliteError()

    monkeypatch.setattr(sessions, "describe", describe)
    assert client.get(path).status_code == 200
    answer = client.post(path, typed)
    assert (answer.status_code, attempts) == (503, ["GET", "POST"])
    assert LOCKED.reason in parsed_page(answer).text
    assert parsed_page(answer).one("textarea", name="body").text.strip() == "We are looking."
    assert len(parsed_page(answer).all("nav")) >= 1


def form_without_action(client: Client, path: str) -> Element:
    (form,) = [form for form in parsed_page(client.get(path)).all("form") if not form.attributes.get("action")]
    return form


def test_htmx_shows_the_reason_and_replaces_nothing_that_was_typed(page: Page) -> None:
    client = signed_in("editor")
    with failing(writes_only=True):
        answer = client.post(
            "/console/p/acme/incidents/new/draft/declare", {"body": "Half"}, headers={"hx-request": "true"}
        )
    assert answer.status_code in (404, 503)
    with failing(writes_only=False):
        answer = client.post("/console/p/acme/preview", {"body": "Half"}, headers={"hx-request": "true"})
        polled = client.get("/console/p/acme/", headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Retarget"], answer["HX-Reswap"]) == (503, "#toasts", "innerHTML")
    assert "Your text is still in the form." in parsed_page(answer).text
    assert (polled.status_code, polled["HX-Reswap"]) == (503, "none")


def test_an_error_of_the_program_stays_an_error(page: Page) -> None:
    def refuse(*_: object) -> Any:
        raise ProgrammingError("no such column")

    client = signed_in("editor")
    client.raise_request_exception = False
    with connection.execute_wrapper(refuse):
        assert client.post("/console/p/acme/incidents/new", TYPED).status_code == 500


def test_a_form_of_another_site_is_not_shown_again(page: Page) -> None:
    client = Client(enforce_csrf_checks=True)
    with failing(writes_only=False):
        answer = client.post("/console/p/acme/incidents/new", {"body": "From elsewhere"})
    assert answer.status_code == 403


def test_every_kind_says_what_happened_and_what_to_do() -> None:
    from statuspage.common import database_errors

    kinds = [kind for kind in vars(database_errors).values() if isinstance(kind, DatabaseFailure)]
    assert len(kinds) == 8
    assert all(kind.reason.count(".") == 3 and kind.retry_after for kind in kinds)
