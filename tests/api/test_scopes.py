"""Who may do what: every operation is data, as the schema lists them."""

import re
from typing import Any

import pytest

from incidents.models import AuditEntry, Event
from statuspage.accounts.models import Scope
from statuspage.api.reference_docs import openapi_schema
from tests.api.programs import Program, make_program

OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in openapi_schema()["paths"].items()
    for method, operation in methods.items()
]
IDS = [f"{method} {path}" for method, path, _ in OPERATIONS]
WRITES = [Scope.INCIDENTS, Scope.COMPONENTS, Scope.SUBSCRIBERS]


def data(program: Program, method: str, path: str) -> Any:
    """With ids that are none, but the page's own."""
    address = path.replace("{page_id}", program.page.public_id)
    return program.request(method, re.sub(r"\{\w+\}", "nosuchcode12", address), {} if method != "GET" else None)


def test_the_list_of_operations_is_complete() -> None:
    assert len(OPERATIONS) > 100
    assert {path for _, path, _ in OPERATIONS} >= {"/v1/pages", "/v1/pages/{page_id}/incidents/{incident_id}"}
    assert len({operation["operationId"] for _, _, operation in OPERATIONS}) == len(OPERATIONS)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_every_operation_needs_its_scope(program: Program, method: str, path: str, operation: Any) -> None:
    scope = operation["x-scope"]
    assert method == "GET" or scope != Scope.READ or "501" in operation["responses"], "a write that reading allows"
    others = [row for row in (Scope.READ, *WRITES) if row != scope]
    if scope != Scope.READ:
        error = data(make_program(program.page, *others), method, path)
        assert error.status_code == 403
        assert scope in error.json()["message"]
    for allowed in (scope, Scope.ADMIN):
        assert data(make_program(program.page, allowed), method, path).status_code not in (401, 403)
    assert not Event.objects.filter(notify=True).exists()


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_every_operation_needs_a_token(program: Program, method: str, path: str, operation: Any) -> None:
    program.secret = "candor_made_up"
    assert data(program, method, path).status_code == 401
    assert not AuditEntry.objects.exclude(verb="token.made").exists()


def test_unsupported_endpoints_say_so(program: Program) -> None:
    missing = [(method, path) for method, path, operation in OPERATIONS if "501" in operation["responses"]]
    assert len(missing) > 20
    for method, path in missing:
        response = data(program, method, path)
        assert response.status_code == 501
        assert response.json()["error"] == response.json()["message"]
        assert "yet" in response.json()["message"]
