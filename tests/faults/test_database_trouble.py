"""The database is locked, stopped or full while staff and visitors submit forms: 503 with what they typed."""

import json
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest

from statuspage.console.management.commands.setup import OWNER
from tests.console.staff import Fields, fields_of
from tests.live import Candor
from tests.public.parsed_page import Element, parse
from tests.servers import Postgres

# The app waits one second for a lock; a busy machine is slower.
TIMEOUT, PATIENCE = 1, 6.0
PREPARE = """
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
page = Page.objects.get()
print(page.public_id, open_incident(page, title="API outage", body="We look.", actor=SYSTEM).public_id)
"""
TEXT = "We found the cause: a <full> disk.\nMore follows."


@dataclass
class Answer:
    status: int
    headers: Any
    body: str
    seconds: float

    @property
    def document(self) -> Element:
        return parse(self.body)


@dataclass
class Browser:
    """Sends forms with cookies, to the running product."""

    candor: Candor
    page_id: str = ""
    incident_id: str = ""
    cookies: CookieJar = field(default_factory=CookieJar)

    def request(self, path: str, data: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(self.candor.url + path, data, headers)
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        started = time.monotonic()
        try:
            with opener.open(request, timeout=30) as response:
                return Answer(response.status, response.headers, response.read().decode(), time.monotonic() - started)
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read().decode(), time.monotonic() - started)

    def submit(self, path: str, fields: Fields) -> Answer:
        return self.request(path, urlencode(fields, doseq=True).encode())

    def sign_in(self) -> None:
        form = self.form("/accounts/login/")
        self.submit("/accounts/login/", form | {"login": [OWNER], "password": [self.candor.password]})

    def form(self, path: str, action: str = "") -> Fields:
        forms = self.request(path).document.all("form", method="post")
        (form,) = [form for form in forms if (form.attributes.get("action") or path) == (action or path)]
        return fields_of(form)

    @property
    def incident_path(self) -> str:
        return f"/console/p/{self.page_id}/incidents/{self.incident_id}"

    def update_form(self) -> Fields:
        return self.form(self.incident_path, f"{self.incident_path}/update") | {"body": [TEXT]}


def started(candor: Candor) -> Browser:
    candor.env |= {"PAGE_NAME": "Acme", "DATABASE_TIMEOUT": str(TIMEOUT)}
    candor.manage("migrate", "-v0")
    candor.serve()
    browser = Browser(candor)
    browser.page_id, browser.incident_id = candor.manage("shell", "-v0", "-c", PREPARE).split()[-2:]
    browser.sign_in()
    return browser


def shown_texts(answer: Answer) -> list[str]:
    forms = answer.document.all("form", method="post")
    return [value.replace("\r\n", "\n") for form in forms for values in fields_of(form).values() for value in values]


def token_of(candor: Candor) -> str:
    return candor.manage("create_token", "fault test", "--scope", "incidents:write").split()[-1]


def call_api(browser: Browser, token: str, **headers: str) -> Answer:
    body = json.dumps({"incident": {"name": "By API", "status": "investigating", "body": "We look."}}).encode()
    headers |= {"Authorization": f"OAuth {token}", "Content-Type": "application/json"}
    return browser.request(f"/v1/pages/{browser.page_id}/incidents", body, **headers)


def test_sqlite_locked_by_another_process(candor: Candor) -> None:
    browser = started(candor)
    token = token_of(candor)
    update = browser.update_form()
    (database,) = candor.folder.rglob("candor.sqlite3")
    other = sqlite3.connect(database, isolation_level=None, timeout=30)
    other.execute("BEGIN EXCLUSIVE")
    answer = browser.submit(f"{browser.incident_path}/update", update)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.seconds < TIMEOUT + PATIENCE
    assert "The database is locked by another process. Nothing was saved." in answer.document.text
    assert TEXT in shown_texts(answer)
    assert answer.document.all("select", name="status"), "the form itself, not its bare fields"
    by_program = call_api(browser, token, **{"Idempotency-Key": "once"})
    assert (by_program.status, by_program.headers["Retry-After"]) == (503, "5")
    assert "locked" in json.loads(by_program.body)["error"]
    assert "locked" in json.loads(by_program.body)["message"]
    form = {"email": ["reader@example.com"], "whole_page": ["on"]}
    assert browser.submit("/subscribe", form).status == 503
    other.execute("ROLLBACK")
    assert call_api(browser, token, **{"Idempotency-Key": "once"}).status == 201, "the 503 was not stored"
    again = browser.submit(f"{browser.incident_path}/update", browser.update_form())
    assert again.status == 200
    assert "a &lt;full&gt; disk" in again.body
    assert "Traceback" not in candor.log


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """One that may be stopped: other tests share the usual one."""
    server = Postgres()
    server.start()
    yield server
    server.stop()


def test_postgresql_locked_then_stopped(candor: Candor, own_postgres: Postgres) -> None:
    candor.env["DATABASE_URL"] = url = own_postgres.create("trouble")
    browser = started(candor)
    token = token_of(candor)
    update = browser.update_form()
    with psycopg.connect(url) as other:
        other.execute("SELECT * FROM incidents_incident FOR UPDATE")
        answer = browser.submit(f"{browser.incident_path}/update", update)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert TIMEOUT <= answer.seconds < TIMEOUT + PATIENCE
        assert "The database is locked by another process. Nothing was saved." in answer.document.text
        assert TEXT in shown_texts(answer)
        assert answer.document.all("nav"), "the form's own page"

    own_postgres.stop_at_once()
    browser.submit(f"{browser.incident_path}/update", update)  # a kept connection is found to be lost
    answer = browser.submit(f"{browser.incident_path}/update", update)
    assert answer.status == 503
    assert "Nothing was saved. The database does not respond." in answer.document.text
    assert TEXT in shown_texts(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    for path in ("/subscribe", "/subscribe/webhook"):
        answer = browser.submit(path, {"email": ["reader@example.com"], "whole_page": ["on"]})
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "temporarily unavailable" in answer.document.one("h1").text
        assert "reader@example.com" in shown_texts(answer)
        assert answer.seconds < PATIENCE
    sign_in = browser.request("/accounts/login/")
    assert (sign_in.status, sign_in.headers["Retry-After"]) == (503, "5")
    assert call_api(browser, token).status == 503
    assert json.loads(browser.request("/api/v2/summary.json?x").body)["error"]
    assert "Traceback" not in candor.log

    own_postgres.start_again()
    again = browser.submit(f"{browser.incident_path}/update", update)
    assert again.status == 200
    assert "a &lt;full&gt; disk" in again.body
