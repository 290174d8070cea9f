import pytest
from django.test import Client

from incidents.models import Draft, Incident, Page
from tests.factories import make_component, make_incident, make_page

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.mark.parametrize("step", ["declare", "update"])
def test_the_preview_shows_the_email_and_the_webhook(editor: Client, page: Page, step: str) -> None:
    component = make_component(page, "API")
    incident = make_incident(page, title="Slow API")
    typed = {"step": step} | ({"title": "Slow API"} if step == "declare" else {"incident": incident.public_id})
    typed |= {"body": "We **know** more.", "status": "identified", f"component_{component.public_id}": "major_outage"}
    mail = editor.post(
        "/console/p/acme/preview", typed | {"tab": "mail"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert f"[{page.name}] Identified: Slow API" in mail
    assert "We **know** more." in mail
    assert "own unsubscribe link" in mail
    hook = editor.post(
        "/console/p/acme/preview", typed | {"tab": "webhook"}, headers={"HX-Request": "true"}
    ).content.decode()
    assert "&quot;body&quot;: &quot;We **know** more.&quot;" in hook
    assert "&quot;new_status&quot;: &quot;major_outage&quot;" in hook
    assert "<strong>know</strong>" in editor.post("/console/p/acme/preview", typed | {"tab": "page"}).content.decode()
    assert Incident.objects.count() == 1
    assert incident.updates.count() == 1


def test_the_html_of_a_draft_email_cannot_load_resources(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    editor.post(
        f"/console/p/acme/incidents/{incident.public_id}/draft/update",
        {"body": "Half a sentence", "status": "identified"},
    )
    answer = editor.get(f"/console/p/acme/drafts/{Draft.objects.get().public_id}/mail")
    assert "Half a sentence" in answer.content.decode()
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "default-src 'none'" in answer["Content-Security-Policy"]
