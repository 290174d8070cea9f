"""How requests arrive and answers leave: what old clients send (contract section 3.2) is understood."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import AuditEntry, Incident, Page
from tests.api.programs import Program, make_program
from tests.factories import make_component, make_page

FORM = "application/x-www-form-urlencoded"


def ask(program: Program, *, method: str = "GET", path: str = "", query: str = "", **sent: Any) -> Any:
    address = f"/v1/pages/{program.page.public_id}{path}{query}"
    return Client().generic(method, address, **sent)


@pytest.mark.parametrize("scheme", ["OAuth", "oauth", "Bearer", "BEARER", "token"])
def test_a_token_opens_the_door_under_any_name_in_any_case(program: Program, scheme: str) -> None:
    assert ask(program, headers={"authorization": f"{scheme}   {program.secret} "}).status_code == 200


@pytest.mark.parametrize("pair", ["me:{}", ":{}", "{}:", "{}"])
def test_a_token_is_a_password_too(program: Program, pair: str) -> None:
    basic = base64.b64encode(pair.format(program.secret).encode()).decode()
    assert ask(program, headers={"authorization": f"Basic {basic}"}).status_code == 200


def test_a_token_may_stand_in_the_address(program: Program) -> None:
    assert ask(program, query=f"?api_key={program.secret}").status_code == 200


@pytest.mark.parametrize(
    "header", ["", "OAuth", "OAuth nonsense", "Basic !!!", "Basic bm9uc2Vuc2U=", "Digest x", "Bearer \ud7ff"]
)
def test_nobody_else_gets_in(program: Program, header: str) -> None:
    answer = ask(program, headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"error": "Could not authenticate", "message": "Could not authenticate"}
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_session_opens_nothing(program: Program) -> None:
    from tests.console.staff import signed_in

    assert signed_in("owner").get(f"/v1/pages/{program.page.public_id}").status_code == 401


@pytest.mark.parametrize("path", [".json", "/incidents.json", "/incidents/unresolved.json", "/components.json?page=1"])
def test_a_suffix_means_nothing(program: Program, path: str) -> None:
    plain = program.ask("GET", path.replace(".json", ""))
    assert program.ask("GET", path).content == plain.content
    assert plain.status_code == 200


@pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain", ""])
def test_the_type_of_a_body_that_is_not_there_is_ignored(program: Program, kind: str) -> None:
    headers = {"authorization": f"OAuth {program.secret}"}
    assert ask(program, path="/incidents", content_type=kind, headers=headers).json() == []


def form(program: Program, method: str, path: str, pairs: list[tuple[str, str]]) -> Any:
    headers = {"authorization": f"OAuth {program.secret}"}
    return ask(program, method=method, path=path, data=urlencode(pairs), content_type=FORM, headers=headers)


def test_a_form_with_nested_names_is_a_body(program: Program) -> None:
    first, second = (make_component(program.page, name) for name in ("One", "Two"))
    pairs = [
        ("incident[name]", "Boom"),
        ("incident[status]", "identified"),
        ("incident[deliver_notifications]", "false"),
        ("incident[components][]", first.public_id),
        ("incident[components][]", second.public_id),
        ("incident[metadata][jira][issue_id]", "X-1"),
    ]
    made = form(program, "POST", "/incidents", pairs)
    assert made.status_code == 201, made.content
    assert len(made.json()["components"]) == 2
    assert made.json()["metadata"] == {"jira": {"issue_id": "X-1"}}
    assert not made.json()["incident_updates"][0]["deliver_notifications"]
    pairs = [("incident[status]", "monitoring"), (f"incident[components][{first.public_id}]", "partial_outage")]
    changed = form(program, "PATCH", f"/incidents/{made.json()['id']}.json", pairs)
    assert (changed.status_code, changed.json()["impact"]) == (200, "major")


def test_json_that_calls_itself_a_form_is_json(program: Program) -> None:
    headers = {"authorization": f"OAuth {program.secret}"}
    body = json.dumps({"incident": {"name": "Boom"}})
    made = ask(program, method="POST", path="/incidents", data=body, content_type=FORM, headers=headers)
    assert made.status_code == 201


@pytest.mark.parametrize(
    "pairs",
    [
        [("incident[", "x")],
        [("[]", "x")],
        [("incident[name][]", "x"), ("incident[name]", "y"), ("incident[name][deep]", "z")],
        [("incident[][name]", "x")],
        [("incident", "x"), ("incident[name]", "y")],
        [("a[b][c][d][e][f][g]", "x")],
    ],
)
def test_a_form_that_contradicts_itself_is_refused(program: Program, pairs: list[tuple[str, str]]) -> None:
    answer = form(program, "POST", "/incidents", pairs)
    assert answer.status_code in (400, 422)
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"incident": {"name": "a\\u0000b"}}',
        b'{"incident": {"name": "\\ud800"}}',
        b'{"a\\u0000": 1}',
        b'{"incident": ' + b"[" * 100_000 + b"}",
        b'{"data": {"timestamp": 1, "value": NaN}}',
    ],
)
def test_a_body_that_cannot_be_read_is_refused_in_plain_words(program: Program, body: bytes) -> None:
    headers = {"authorization": f"OAuth {program.secret}"}
    answer = ask(program, method="POST", path="/incidents", data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == answer.json()["message"]
    assert not Incident.objects.exists()


@pytest.mark.parametrize("path", ["/incidents?q=%00", "/incidents/%00", "/incidents?%00=1"])
def test_an_address_that_no_database_can_look_up_is_refused(program: Program, path: str) -> None:
    assert program.ask("GET", path).status_code in (400, 404)


def test_a_request_that_is_too_big_is_refused(program: Program, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    refused = program.post("/incidents", {"incident": {"name": "Boom", "body": "x" * 200}}, code=413)
    assert refused["message"] == "The request is too large."


def test_a_path_that_is_none_is_not_found(program: Program) -> None:
    answer = program.ask("GET", "/nonsense")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert "/v1/docs" in answer.json()["message"]
    root = program.ask("GET", "/v1/")
    assert (root.status_code, root["Content-Type"]) == (404, "application/json")


def test_a_method_that_is_not_served_says_which_are(program: Program) -> None:
    answer = program.ask("DELETE", "/incidents")
    assert answer.status_code == 405
    assert set(answer["Allow"].split(", ")) == {"GET", "POST"}
    assert answer.json()["error"]


def test_nothing_at_all_follows_a_204(program: Program) -> None:
    component = make_component(program.page)
    answer = program.ask("DELETE", f"/components/{component.public_id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Content-Type" not in answer.headers


def test_answers_are_kept_by_nobody(program: Program) -> None:
    answer = program.ask("GET", "")
    assert (answer["Cache-Control"], answer["Vary"]) == ("no-store", "Authorization")
    assert not answer.cookies


def test_too_many_requests_are_told_when_to_come_back(program: Program, settings: Settings) -> None:
    settings.API_LIMIT_PER_MINUTE = 2
    codes = [program.ask("GET", "").status_code for _ in range(4)]
    assert codes.count(429) >= 1
    answer = program.ask("GET", "")
    if answer.status_code == 429:
        assert 1 <= int(answer["Retry-After"]) <= 60
        assert answer.json()["error"] == answer.json()["message"]
    other = make_program(program.page, name="Another")
    assert other.ask("GET", "").status_code == 200


def test_an_internal_error_is_returned_as_json_and_logged(
    program: Program, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.API_LIMIT_PER_MINUTE = "many"
    answer = program.ask("POST", "/incidents", {"incident": {"name": "Boom"}})
    assert answer.status_code == 500
    assert answer.json()["error"] == answer.json()["message"]
    assert "Unhandled error in an API request: POST" in caplog.text
    assert not Incident.objects.exists()


def test_another_page_is_not_there_for_this_token(program: Program) -> None:
    other = make_page(name="Other")
    assert program.ask("GET", f"/v1/pages/{other.public_id}").status_code == 404
    assert [one["id"] for one in program.get("/v1/pages")] == [program.page.public_id]


class TestRepeatedKeys:
    """`Idempotency-Key`: the same request again is answered the same, and nothing else happens."""

    body = {"incident": {"name": "Boom"}}

    def test_the_same_request_makes_one_incident(self, program: Program) -> None:
        first = program.ask("POST", "/incidents", self.body, **{"idempotency-key": "k1"})
        again = program.ask("POST", "/incidents", self.body, **{"idempotency-key": "k1"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert again["Idempotency-Replayed"] == "true"
        assert Incident.objects.count() == 1
        assert AuditEntry.objects.filter(verb="incident.opened").count() == 1

    def test_a_patch_is_done_once(self, program: Program) -> None:
        made = program.post("/incidents", self.body)
        for _ in range(2):
            body = {"incident": {"body": "More."}}
            changed = program.patch(f"/incidents/{made['id']}", body, key="k2")
            assert len(changed["incident_updates"]) == 2

    def test_another_request_under_the_same_key_is_refused(self, program: Program) -> None:
        program.post("/incidents", self.body, key="k1")
        other = {"incident": {"name": "Another"}}
        refused = program.post("/incidents", other, code=409, key="k1")
        assert "Idempotency-Key" in refused["message"]
        assert Incident.objects.count() == 1

    def test_what_was_refused_may_be_put_right_under_the_same_key(self, program: Program) -> None:
        program.post("/incidents", {"incident": {}}, code=422, key="k1")
        program.post("/incidents", self.body, key="k1")

    def test_a_key_is_forgotten_after_a_day(self, program: Program, page: Page) -> None:
        from datetime import timedelta

        from django.utils import timezone

        from statuspage.api.models import IdempotentResponse

        program.post("/incidents", self.body, key="k1")
        IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(hours=25))
        program.post("/incidents", self.body, key="k1")
        assert Incident.objects.count() == 2

    def test_old_keys_of_a_token_that_fell_silent_are_forgotten_too(self, program: Program) -> None:
        from datetime import timedelta

        from django.utils import timezone

        from statuspage.api.models import IdempotentResponse

        make_program(program.page, name="Silent").post("/incidents", self.body, key="k1")
        IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(hours=25))
        program.post("/incidents", self.body, key="k2")
        assert [kept.key for kept in IdempotentResponse.objects.all()] == ["k2"]

    def test_two_tokens_may_choose_the_same_key(self, program: Program) -> None:
        other = make_program(program.page, name="Another")
        for one in (program, other):
            one.post("/incidents", self.body, key="k1")
        assert Incident.objects.count() == 2

    def test_a_204_is_repeated_as_nothing(self, program: Program) -> None:
        path = f"/components/{make_component(program.page).public_id}"
        for _ in range(2):
            answer = program.ask("DELETE", path, **{"idempotency-key": "k1"})
            assert (answer.status_code, answer.content) == (204, b"")
            assert "Content-Type" not in answer.headers
