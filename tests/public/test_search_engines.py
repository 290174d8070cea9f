"""What a search engine shows of the page."""

import pytest

from incidents.models import Page
from tests.factories import make_incident, make_maintenance, make_page
from tests.public.parsed_page import get, parse

pytestmark = pytest.mark.django_db


def described(path: str) -> str:
    (meta,) = parse(get(path).content.decode()).all("meta", name="description")
    return meta.attributes["content"]


def test_a_page_is_described_by_its_own_words() -> None:
    make_page(description="Status of the Acme platform & its parts.")
    assert described("/") == "Status of the Acme platform & its parts."


def test_a_page_without_words_of_its_own_says_what_it_is() -> None:
    Page.objects.create(name="Acme")
    assert described("/") == "Acme: current status and incident history"


def test_a_long_description_is_cut() -> None:
    make_page(description="Many words. " * 40)
    assert len(described("/")) == 160


def test_an_incident_is_described_by_its_title() -> None:
    page = make_page()
    incident, planned = make_incident(page, title="API <down>"), make_maintenance(page, title="Upgrade")
    assert described(f"/incidents/{incident.public_id}") == "Incident report for Acme: API <down>"
    assert described(f"/incidents/{planned.public_id}") == "Scheduled maintenance for Acme: Upgrade"
