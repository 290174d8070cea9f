"""How requests arrive and responses leave: what old clients send (contract section 3.2) is understood."""

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
def test_a_token_authenticates_with_any_scheme_in_any_case(program: Program, scheme: str) -> None:
    assert ask(program, headers={"authorization": f"{scheme}   {program.secret} "}).status_code == 200


@pytest.mark.parametrize("pair", ["me:{}", ":{}", "{}:", "{}"])
def test_a_token_is_accepted_as_basic_password(program: Program, pair: str) -> None:
    basic = base64.b64encode(pair.format(program.secret).encode()).decode()
    assert ask(program, headers={"authorization": f"Basic {basic}"}).status_code == 200


def test_a_token_is_accepted_in_the_query_string(program: Program) -> None:
    assert ask(program, query=f"?api_key={program.secret}").status_code == 200


@pytest.mark.parametrize(
    "header", ["", "OAuth", "OAuth nonsense", "Basic !!!", "Basic bm9uc2Vuc2U=", "Digest x", "Bearer \ud7ff"]
)
def test_requests_without_a_valid_token_are_rejected(program: Program, header: str) -> None:
    response = ask(program, headers={"authorization": header})
    assert response.status_code == 401
    assert response.json() == {"error": "Could not authenticate", "message": "Could not authenticate"}
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_session_does_not_authenticate(program: Program) -> None:
    from tests.console.staff import signed_in

    assert signed_in("owner").get(f"/v1/pages/{program.page.public_id}").status_code == 401


@pytest.mark.parametrize("path", [".json", "/incidents.json", "/incidents/unresolved.json", "/components.json?page=1"])
def test_a_json_suffix_is_ignored(program: Program, path: str) -> None:
    plain = program.request("GET", path.replace(".json", ""))
    assert program.request("GET", path).content == plain.content
    assert plain.status_code == 200


@pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain", ""])
def test_the_content_type_of_an_empty_body_is_ignored(program: Program, kind: str) -> None:
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


def test_json_sent_as_a_form_is_parsed_as_json(program: Program) -> None:
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
def test_a_contradictory_form_is_rejected(program: Program, pairs: list[tuple[str, str]]) -> None:
    response = form(program, "POST", "/incidents", pairs)
    assert response.status_code in (400, 422)
    assert response.json()["message"]


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
def test_an_invalid_body_is_rejected_with_a_message(program: Program, body: bytes) -> None:
    headers = {"authorization": f"OAuth {program.secret}"}
    response = ask(
        program, method="POST", path="/incidents", data=body, content_type="application/json", headers=headers
    )
    assert response.status_code == 400
    assert response.json()["error"] == response.json()["message"]
    assert not Incident.objects.exists()


@pytest.mark.parametrize("path", ["/incidents?q=%00", "/incidents/%00", "/incidents?%00=1"])
def test_a_path_with_invalid_characters_is_rejected(program: Program, path: str) -> None:
    assert program.request("GET", path).status_code in (400, 404)


def test_a_request_that_is_too_large_is_rejected(program: Program, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    error = program.post("/incidents", {"incident": {"name": "Boom", "body": "x" * 200}}, code=413)
    assert error["message"] == "The request is too large."


def test_an_unknown_path_is_not_found(program: Program) -> None:
    response = program.request("GET", "/nonsense")
    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert "/v1/docs" in response.json()["message"]
    root = program.request("GET", "/v1/")
    assert (root.status_code, root["Content-Type"]) == (404, "application/json")


def test_a_wrong_method_lists_the_allowed_methods(program: Program) -> None:
    response = program.request("DELETE", "/incidents")
    assert response.status_code == 405
    assert set(response["Allow"].split(", ")) == {"GET", "POST"}
    assert response.json()["error"]


def test_a_204_has_no_body(program: Program) -> None:
    component = make_component(program.page)
    response = program.request("DELETE", f"/components/{component.public_id}")
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response.headers


def test_responses_are_not_cached(program: Program) -> None:
    response = program.request("GET", "")
    assert (response["Cache-Control"], response["Vary"]) == ("no-store", "Authorization")
    assert not response.cookies


def test_too_many_requests_get_a_retry_after(program: Program, settings: Settings) -> None:
    settings.API_LIMIT_PER_MINUTE = 2
    codes = [program.request("GET", "").status_code for _ in range(4)]
    assert codes.count(429) >= 1
    response = program.request("GET", "")
    if response.status_code == 429:
        assert 1 <= int(response["Retry-After"]) <= 60
        assert response.json()["error"] == response.json()["message"]
    other = make_program(program.page, name="Another")
    assert other.request("GET", "").status_code == 200


def test_an_internal_error_is_returned_as_json_and_logged(
    program: Program, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.API_LIMIT_PER_MINUTE = "many"
    response = program.request("POST", "/incidents", {"incident": {"name": "Boom"}})
    assert response.status_code == 500
    assert response.json()["error"] == response.json()["message"]
    assert "Unhandled error in an API request: POST" in caplog.text
    assert not Incident.objects.exists()


def test_another_page_is_not_found(program: Program) -> None:
    other = make_page(name="Other")
    assert program.request("GET", f"/v1/pages/{other.public_id}").status_code == 404
    assert [row["id"] for row in program.get("/v1/pages")] == [program.page.public_id]


class TestRepeatedKeys:
    """`Idempotency-Key`: the same request again is answered the same, and nothing else happens."""

    body = {"incident": {"name": "Boom"}}

    def test_a_repeated_request_creates_one_incident(self, program: Program) -> None:
        first = program.request("POST", "/incidents", self.body, **{"idempotency-key": "k1"})
        again = program.request("POST", "/incidents", self.body, **{"idempotency-key": "k1"})
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert again["Idempotency-Replayed"] == "true"
        assert Incident.objects.count() == 1
        assert AuditEntry.objects.filter(verb="incident.opened").count() == 1

    def test_a_repeated_patch_is_applied_once(self, program: Program) -> None:
        made = program.post("/incidents", self.body)
        for _ in range(2):
            body = {"incident": {"body": "More."}}
            changed = program.patch(f"/incidents/{made['id']}", body, key="k2")
            assert len(changed["incident_updates"]) == 2

    def test_a_different_request_with_the_same_key_is_rejected(self, program: Program) -> None:
        program.post("/incidents", self.body, key="k1")
        other = {"incident": {"name": "Another"}}
        error = program.post("/incidents", other, code=409, key="k1")
        assert "Idempotency-Key" in error["message"]
        assert Incident.objects.count() == 1

    def test_a_rejected_request_can_be_corrected_with_the_same_key(self, program: Program) -> None:
        program.post("/incidents", {"incident": {}}, code=422, key="k1")
        program.post("/incidents", self.body, key="k1")

    def test_a_key_is_deleted_after_a_day(self, program: Program, page: Page) -> None:
        from datetime import timedelta

        from django.utils import timezone

        from statuspage.api.models import IdempotentResponse

        program.post("/incidents", self.body, key="k1")
        IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(hours=25))
        program.post("/incidents", self.body, key="k1")
        assert Incident.objects.count() == 2

    def test_old_keys_of_an_unused_token_are_deleted_too(self, program: Program) -> None:
        from datetime import timedelta

        from django.utils import timezone

        from statuspage.api.models import IdempotentResponse

        make_program(program.page, name="Silent").post("/incidents", self.body, key="k1")
        IdempotentResponse.objects.update(created_at=timezone.now() - timedelta(hours=25))
        program.post("/incidents", self.body, key="k2")
        assert [stored.key for stored in IdempotentResponse.objects.all()] == ["k2"]

    def test_two_tokens_may_use_the_same_key(self, program: Program) -> None:
        other = make_program(program.page, name="Another")
        for row in (program, other):
            row.post("/incidents", self.body, key="k1")
        assert Incident.objects.count() == 2

    def test_a_repeated_204_has_no_body(self, program: Program) -> None:
        path = f"/components/{make_component(program.page).public_id}"
        for _ in range(2):
            response = program.request("DELETE", path, **{"idempotency-key": "k1"})
            assert (response.status_code, response.content) == (204, b"")
            assert "Content-Type" not in response.headers
