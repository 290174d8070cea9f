"""The schema and the page that shows it, both from the code, and open to anybody."""

from django.test import Client
from pytest_django import DjangoAssertNumQueries

from statuspage.api.reference_docs import openapi_schema, sections, type_label
from tests.console.staff import parsed_page


def test_the_schema_is_openapi_3_1_of_every_path(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        response = Client().get("/v1/openapi.json")
    schema = response.json()
    assert schema["openapi"].startswith("3.1")
    assert schema == openapi_schema()
    assert not response.cookies
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"].strip(), f"{method} {path}"
            assert operation["security"] == [{"ApiKey": []}]


def test_every_key_of_a_response_is_required() -> None:
    schemas = openapi_schema()["components"]["schemas"]
    for name in ("IncidentOut", "UpdateOut", "ComponentOut", "PageOut", "SubscriberOut", "MetricOut", "PostmortemOut"):
        assert sorted(schemas[name]["required"]) == sorted(schemas[name]["properties"]), name


def test_the_page_shows_every_operation(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        response = Client().get("/v1/docs")
    document = parsed_page(response)
    shown = {heading.text for heading in document.all("h3")}
    for path, operations in openapi_schema()["paths"].items():
        for method in operations:
            assert any(method.upper() in heading and heading.endswith(path) for heading in shown), f"{method} {path}"
    assert len(document.all("h1")) == 1
    assert not document.all("script")
    assert not [row for row in document.walk() if "style" in row.attributes or row.tag == "style"]
    assert not response.cookies
    names = [row.attributes["id"] for row in document.walk() if "id" in row.attributes]
    assert len(names) == len(set(names))


def test_incidents_come_first_and_unsupported_endpoints_last() -> None:
    titles = [section.title for section in sections(openapi_schema())]
    assert (titles[0], titles[-1]) == ("Incidents", "Not supported yet")


def test_types_have_readable_labels() -> None:
    assert type_label({"anyOf": [{"type": "string"}, {"type": "null"}]}) == "text or null"
    assert type_label({"type": "array", "items": {"$ref": "#/components/schemas/ComponentOut"}}) == "list of Component"
    assert type_label({"type": "string", "format": "date-time"}) == "time"
    assert type_label({"enum": ["a", ""]}) == "a | “”"
    assert type_label({}) == "any"
