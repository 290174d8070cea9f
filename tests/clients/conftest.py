import pytest

from incidents.models import Page
from tests.factories import make_component, make_group, make_incident, make_maintenance, make_page, make_resolved, post


@pytest.fixture
def page(transactional_db: None) -> Page:
    """One open incident in a group, one resolved, one maintenance ahead."""
    page = make_page(name="Acme", time_zone="Europe/Zurich")
    api = make_component(page, "API", group=make_group(page, "Core"))
    make_component(page, "Website")
    make_resolved(page, title="Over")
    post(make_incident(page, title="Slow answers", components={api: "partial_outage"}), body="Half of them.")
    make_maintenance(page, title="Upgrade", components=[api])
    return page
