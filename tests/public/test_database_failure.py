"""Public forms while the database fails: the page that says so, at once, with the address as typed."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.utils import ConnectionHandler
from django.test import Client, RequestFactory

from incidents.models import Page
from statuspage.common.database_errors import AWAY, database_failure
from statuspage.common.database_middleware import DatabaseMiddleware
from statuspage.subscribers.links import manage_url, unsubscribe_url
from tests.console.staff import fields_of, signed_in
from tests.factories import PASSWORD, make_subscriber, make_user
from tests.public.parsed_page import parse

pytestmark = pytest.mark.django_db


@pytest.fixture
def database_is_gone() -> Iterator[None]:
    with connection.execute_wrapper(refuse):
        yield


def refuse(*_: object) -> Any:
    raise OperationalError("connection failed: connection refused")


@pytest.mark.usefixtures("database_is_gone")
@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/subscribe", "email"),
        ("/subscribe/webhook", "endpoint"),
        ("/accounts/login/", "login"),
        ("/accounts/password/reset/", "email"),
    ],
)
def test_the_address_comes_back(path: str, field: str) -> None:
    answer = Client().post(path, {field: "ada@example.com", "password": "hunter2hunter2", "whole_page": "on"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "no-store" in answer["Cache-Control"]
    document = parse(answer.content.decode())
    assert "temporarily unavailable" in document.one("h1").text
    assert "database" not in document.text
    fields = fields_of(document.one("form"))
    assert (fields[field], fields["whole_page"], fields["password"]) == (["ada@example.com"], ["on"], [""])
    assert [control.attributes["name"] for control in document.all("input", type="hidden")][1:] == ["whole_page"]


def test_links_of_subscribers_say_when_to_try_again(page: Page) -> None:
    subscriber = make_subscriber(page)
    paths = [url.removeprefix("http://127.0.0.1:8000") for url in (manage_url(subscriber), unsubscribe_url(subscriber))]
    with connection.execute_wrapper(refuse):
        for path in paths:
            assert Client().get(path).status_code == 503
            assert Client().post(path, {"action": "unsubscribe"}).status_code == 503
    subscriber.refresh_from_db()
    assert subscriber.is_active


@pytest.mark.usefixtures("database_is_gone")
@pytest.mark.parametrize(
    "path", ["/api/v2/summary.json", "/api/v2/subscribers.json", "/history.json", "/v1/pages.json"]
)
def test_programs_get_json(path: str) -> None:
    answer = Client().post(path, headers={"authorization": "OAuth abc"}) if "sub" in path else Client().get(path)
    if path.startswith("/v1/"):
        answer = Client().get(path, headers={"authorization": "OAuth abc"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"] == answer.json()["message"]
    assert "The database does not respond." in answer.json()["error"]


def test_a_session_that_cannot_be_saved_is_no_error_of_the_program(page: Page) -> None:
    def refuse_sessions(execute: Callable[..., Any], sql: str, params: Any, many: Any, context: Any) -> Any:
        if "session" in sql and not sql.lstrip().upper().startswith("SELECT"):
            raise OperationalError("connection failed: connection refused")
        return execute(sql, params, many, context)

    user = make_user("owner")
    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(refuse_sessions):
        answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_a_server_that_does_not_answer_is_not_tried_by_every_request(page: Page) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": str(silent.getsockname()[1])}
        database: Any = url | {"NAME": "candor", "OPTIONS": {"connect_timeout": 2}}
        with pytest.raises(OperationalError) as caught:
            ConnectionHandler({"default": database})["default"].ensure_connection()
    assert database_failure(caught.value) is AWAY
    middleware = DatabaseMiddleware(lambda request: Client().get("/"))
    request = RequestFactory().get("/subscribe")
    assert middleware.process_view(request) is None
    assert middleware.process_exception(request, caught.value)
    answer = middleware.process_view(request)
    assert answer is not None
    assert answer.status_code == 503
    assert middleware.process_view(RequestFactory().get("/readyz")) is None


def test_htmx_shows_the_message_of_a_503(page: Page) -> None:
    html = signed_in("editor").get("/console/p/acme/incidents/new").content.decode()
    assert '"code":"[23]..|401|503","swap":true' in html.replace("&quot;", '"')
    assert len(parse(html).all("div", id="toasts")) == 1
