"""Independent clients of Statuspage's management API, unchanged but for the address, against the running product."""

from typing import Any

import pytest
import statuspageio
from atlassian.statuspage import StatusPage
from statuspageio.errors import RequestError, ResourceError

from tests.api.conftest import Served

pytestmark = pytest.mark.xdist_group("served-api")


@pytest.fixture
def vukomir(served: Served) -> Any:
    """Its address is a constant, so it is set on the finished client."""
    client = statuspageio.Client(api_key=served.token, page_id=served.page, organization_id="none")
    client.config.base_url = served.url
    return client


@pytest.fixture
def atlassian(served: Served) -> Any:
    return StatusPage(url=served.url, token=served.token)  # type: ignore[no-untyped-call]


class TestVukomir:
    """vukomir-statuspageio: `.json` on every path, a form's type on every GET, `message` for the body."""

    def test_pages(self, vukomir: Any, served: Served) -> None:
        assert vukomir.pages.get()["id"] == served.page
        vukomir.pages.update(name="Acme Inc")
        assert vukomir.pages.get()["name"] == "Acme Inc"
        vukomir.pages.update(name="Acme")

    def test_components(self, vukomir: Any) -> None:
        made = vukomir.components.create(name="Client API", status="operational", description="x")
        changed = vukomir.components.update(made.id, status="partial_outage", name="Client API")
        assert changed.status == "partial_outage"
        assert made.id in [row.id for row in vukomir.components.list()]
        assert vukomir.components.delete(made.id)
        assert made.id not in [row.id for row in vukomir.components.list()]

    def test_incidents(self, vukomir: Any) -> None:
        made = vukomir.incidents.create(name="Boom", status="investigating", message="We are looking.")
        assert made.incident_updates[0].body == "We are looking."
        changed = vukomir.incidents.update(made.id, status="resolved", message="Over.", name="Boom")
        assert changed.status == "resolved"
        assert made.id in [row.id for row in vukomir.incidents.list()]
        assert made.id not in [row.id for row in vukomir.incidents.list_unresolved()]
        vukomir.incidents.delete(made.id)
        assert made.id not in [row.id for row in vukomir.incidents.list()]

    def test_scheduled_incidents(self, vukomir: Any) -> None:
        made = vukomir.incidents.create_scheduled(
            name="DB upgrade",
            status="scheduled",
            scheduled_for="2030-01-31T01:00:00Z",
            scheduled_until="2030-01-31T02:00:00Z",
        )
        assert made.scheduled_for == "2030-01-31T01:00:00.000Z"
        assert made.id in [row.id for row in vukomir.incidents.list_scheduled()]

    def test_subscribers(self, vukomir: Any) -> None:
        made = vukomir.subscribers.create(email="vukomir@example.com", skip_confirmation_notification=True)
        assert made.mode == "email"
        assert made.id in [row.id for row in vukomir.subscribers.list()]
        vukomir.subscribers.delete(made.id)
        assert made.id not in [row.id for row in vukomir.subscribers.list()]

    def test_errors_have_different_exceptions(self, vukomir: Any) -> None:
        with pytest.raises(ResourceError):
            vukomir.incidents.create(name="", status="investigating")
        with pytest.raises(RequestError):
            vukomir.components.update("nosuchcode12", name="x", status="operational")
        vukomir.config.api_key = "wrong"
        with pytest.raises(RequestError):
            vukomir.pages.get()


class TestAtlassian:
    """atlassian-python-api: `Bearer`, JSON, POST where Statuspage documents PUT."""

    def test_pages_and_their_widget(self, atlassian: Any, served: Served) -> None:
        assert [page["id"] for page in atlassian.page_list_pages()] == [served.page]
        assert atlassian.page_get_embed_config_settings(served.page)["position"]
        changed = atlassian.page_update_embed_config_settings(served.page, {"position": "top-left"})
        assert changed["position"] == "top-left"

    def test_components_groups_and_uptime(self, atlassian: Any, served: Served) -> None:
        made = atlassian.page_create_component(served.page, {"name": "Search", "status": "operational"})
        assert made["id"] in [row["id"] for row in atlassian.page_get_components(served.page)]
        changed = atlassian.page_update_component(served.page, made["id"], {"status": "degraded_performance"})
        assert changed["status"] == "degraded_performance"
        assert atlassian.page_get_uptime_component(served.page, made["id"])["id"] == made["id"]
        assert atlassian.page_get_list_of_component_groups(served.page) == []
        atlassian.page_delete_component(served.page, made["id"])

    def test_an_incident_from_the_first_update_to_the_postmortem(self, atlassian: Any, served: Served) -> None:
        made = atlassian.page_create_incident(served.page, {"name": "Slow search", "status": "investigating"})
        listed = atlassian.page_list_incidents(served.page, "slow")
        assert [row["id"] for row in listed] == [made["id"]]
        assert made["id"] in [row["id"] for row in atlassian.page_list_unresolved_incidents(served.page)]
        atlassian.page_update_incident(served.page, made["id"], {"status": "resolved", "body": "Over."})
        atlassian.page_create_postmortem(served.page, made["id"], "## Why")
        published = atlassian.page_publish_postmortem(served.page, made["id"], {"notify_subscribers": False})
        assert published["body"] == "## Why"
        assert atlassian.page_get_incident(served.page, made["id"])["postmortem_body"] == "## Why"
        atlassian.page_revert_postmortem(served.page, made["id"])
        atlassian.page_delete_postmortem(served.page, made["id"])

    def test_templates_subscribers_and_metrics(self, atlassian: Any, served: Served) -> None:
        template = atlassian.page_create_template(served.page, {"name": "T", "title": "Title", "body": "Body"})
        assert template["id"] in [row["id"] for row in atlassian.page_get_templates(served.page)]
        data = {"email": "atlassian@example.com", "skip_confirmation_notification": True}
        person = atlassian.page_create_subscriber(served.page, data)
        assert atlassian.page_get_subscriber(served.page, person["id"])["email"] == "atlassian@example.com"
        assert atlassian.page_count_subscribers_by_type(served.page, "email", "active")["email"] >= 1
        assert atlassian.page_get_list_of_metrics(served.page) == []
        atlassian.page_unsubscribe_subscriber(served.page, person["id"])
