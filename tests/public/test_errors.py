from collections.abc import Iterator
from typing import NoReturn

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory

from statuspage.public.views import not_found, server_error
from tests.factories import make_page
from tests.public.parsed_page import get, parse, read


@pytest.mark.django_db
def test_an_unknown_address_leads_back_to_the_status() -> None:
    make_page(name="Acme")
    document = read("/nothing-here", status=404)
    assert document.one("title").text == "Page not found - Acme Status"
    assert [link.attributes["href"] for link in document.one("main").all("a")] == ["/", "/history"]


# Without the mark django_db, any question to the database is an error.
def test_the_page_for_our_own_faults_asks_the_database_nothing() -> None:
    response = server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "wrong on our side" in parse(response.content.decode()).one("h1").text


@pytest.fixture
def database_is_gone(db: None) -> Iterator[None]:
    def refuse(*_: object) -> NoReturn:
        raise OperationalError("the database is gone")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.usefixtures("database_is_gone")
def test_not_found_survives_a_database_that_is_gone() -> None:
    response = not_found(RequestFactory().get("/"), Exception())
    assert (response.status_code, parse(response.content.decode()).one("h1").text) == (404, "This page does not exist.")


@pytest.mark.usefixtures("database_is_gone")
def test_a_failure_of_the_database_is_a_page_with_the_usual_style_and_a_time_to_try_again() -> None:
    response = Client().get("/")
    document = parse(response.content.decode())
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert len(document.all("link", rel="stylesheet")) == 2
    assert "temporarily unavailable" in document.one("h1").text
    assert not response.cookies


@pytest.mark.django_db
@pytest.mark.parametrize("code", ["%00", "a%00b", "..%2f..", "%20", "%F0%9F%90%9F"])
def test_what_no_incident_can_be_called_is_not_found(code: str) -> None:
    make_page()
    assert get(f"/incidents/{code}").status_code == 404
    assert get(f"/incidents/{code}.ics").status_code == 404
