"""Requests that nobody would think of, made from the schema: all are answered as it says, and none breaks us."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from pytest_django import Settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from incidents.actions.pages import incident_templates, metrics
from incidents.actions.postmortems import postmortem_lifecycle
from statuspage.api.reference_docs import openapi_schema
from tests.api.programs import Program
from tests.factories import ALICE, make_component, make_group, make_maintenance, make_resolved, make_subscriber

EXAMPLES = 4
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


def examples(test: Any) -> Any:
    """Always the same ones, so that a failure can be met again."""
    return hypothesis_settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(test)


def real_ids(program: Program) -> dict[str, str]:
    """One of each thing, by the names of the paths' parameters."""
    page = program.page
    group = make_group(page)
    component = make_component(page, group=group)
    incident = make_resolved(page, components={component: "partial_outage"})
    make_maintenance(page, components=[component])
    postmortem_lifecycle.publish(incident, body="## Why", actor=ALICE)
    provider = metrics.create_provider(page, kind="Self", actor=ALICE)
    incident_template = incident_templates.create_incident_template(
        page, name="Down", title="We are down", body="Sorry.", actor=ALICE
    )
    return {
        "page_id": page.public_id,
        "group_id": group.public_id,
        "component_id": component.public_id,
        "incident_id": incident.public_id,
        "incident_update_id": incident.updates.newest_first()[0].public_id,
        "subscriber_id": make_subscriber(page).public_id,
        "provider_id": provider.public_id,
        "metric_id": metrics.create_metric(page, name="Latency", provider=provider, actor=ALICE).public_id,
        "template_id": incident_template.public_id,
    }


@pytest.fixture
def application() -> Iterator[Any]:
    """Ours, without what ends the test's own transaction after each request."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_responds_as_its_schema_says(
    program: Program, application: Any, mode: GenerationMode, settings: Settings
) -> None:
    settings.API_LIMIT_PER_MINUTE = 1_000_000
    ids = real_ids(program)
    schema = schemathesis.openapi.from_dict(_open_to_all(openapi_schema()))
    schema.app = application
    # What deletes things comes last: the others need them.
    served = sorted((_good(row) for row in schema.get_all_operations()), key=lambda row: bool(row.method == "delete"))
    codes = Counter[int]()
    for operation in served:
        if "501" not in operation.definition.raw["responses"] and (mode == GenerationMode.POSITIVE or _asks(operation)):
            codes += _codes(operation, mode, program, ids)
    assert codes.total() > 150
    assert codes[200] > 150 or mode == GenerationMode.NEGATIVE
    assert codes[400] + codes[422] > 150 or mode == GenerationMode.POSITIVE
    assert codes[401] == 0


def _open_to_all(schema: Any) -> Any:
    """Else it takes the token away from half of the bad requests; test_scopes.py does that for every operation."""
    copy = json.loads(json.dumps(schema))
    for operations in copy["paths"].values():
        for operation in operations.values():
            del operation["security"]
    return copy


def _good(result: Any) -> Any:
    return result.ok()


def _asks(operation: Any) -> bool:
    """Whether there is anything to get wrong, ids apart."""
    raw = operation.definition.raw
    return "requestBody" in raw or any(row["in"] == "query" for row in raw["parameters"])


def _codes(operation: Any, mode: GenerationMode, program: Program, ids: dict[str, str]) -> Counter[int]:
    """How its requests were answered, most of which are about things that there are."""
    codes = Counter[int]()

    @examples
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        known = ids if codes.total() % 3 != 2 else ids | {"incident_id": "nosuchcode12"}
        case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
        case.headers["Authorization"] = f"Bearer {program.secret}"
        response = case.call()
        assert response.status_code < 500 or response.status_code == 501, (case.as_curl_command(), response.text)
        case.validate_response(response, checks=CHECKS)
        codes[response.status_code] += 1

    check()
    return codes
