"""Requests that arrive at the same moment, at the running product."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.conftest import Served

pytestmark = pytest.mark.xdist_group("served-api")


def sent(served: Served, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    headers = {"Authorization": f"OAuth {served.token}", "Content-Type": "application/json"}
    headers |= {"Idempotency-Key": key} if key else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{served.url}/v1/pages/{served.page}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_concurrent_requests_with_one_key_create_one_incident(served: Served) -> None:
    body = {"incident": {"name": "Only once"}}
    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(lambda _: sent(served, "POST", "/incidents", body, key="same"), range(8)))
    assert [code for code, _ in responses] == [201] * 8
    assert len({response["id"] for _, response in responses}) == 1
    _, incidents = sent(served, "GET", "/incidents?q=Only%20once")
    assert len(incidents) == 1


def test_two_concurrent_updates_are_both_posted(served: Served) -> None:
    _, made = sent(served, "POST", "/incidents", {"incident": {"name": "Busy"}})
    path = f"/incidents/{made['id']}"
    with ThreadPoolExecutor(6) as pool:
        bodies = [{"incident": {"body": f"Update {number}"}} for number in range(6)]
        codes = [code for code, _ in pool.map(lambda body: sent(served, "PATCH", path, body), bodies)]
    assert codes == [200] * 6
    _, incident = sent(served, "GET", path)
    assert len(incident["incident_updates"]) == 7


def test_two_concurrent_changes_of_one_component_are_both_saved(served: Served) -> None:
    _, made = sent(served, "POST", "/components", {"component": {"name": "Before"}})
    path = f"/components/{made['id']}"
    for number in range(5):
        wanted = {"name": f"Name {number}", "description": f"Text {number}", "only_show_if_degraded": number % 2 == 0}
        bodies = [{"component": {field: value}} for field, value in wanted.items()]
        with ThreadPoolExecutor(3) as pool:
            codes = [code for code, _ in pool.map(lambda body: sent(served, "PATCH", path, body), bodies)]
        assert codes == [200] * 3
        _, component = sent(served, "GET", path)
        assert {field: component[field] for field in wanted} == wanted
