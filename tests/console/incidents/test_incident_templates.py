from typing import Any

import pytest
from django.test import Client

from incidents.actions.pages.incident_templates import create_built_in_templates, create_incident_template
from incidents.actor import SYSTEM
from incidents.models import AuditEntry, Incident, IncidentTemplate, Page
from incidents.text.default_templates import DEFAULT_TEMPLATES
from tests.console.staff import fields_of, fill_in, form_to, parsed_page, signed_in
from tests.factories import make_component, make_incident, make_page

pytestmark = pytest.mark.django_db

NEW = "/console/p/acme/incidents/new"


@pytest.fixture
def page() -> Page:
    return make_page(name="Acme", time_zone="Europe/Berlin")


def make_template(page: Page, **more: Any) -> IncidentTemplate:
    fields = {"name": "Errors", "title": "{{component}} fails", "body": "{{component}} fails: {{cause}}."} | more
    return create_incident_template(page, actor=SYSTEM, **fields)


def use(client: Client, chosen: IncidentTemplate, path: str, action: str = "", **typed: Any) -> Any:
    return client.post(
        action or path, fill_in(client, path, action, template=chosen.public_id, use_template="1", **typed)
    )


def url_of(incident: Incident, verb: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}{verb}"


def test_creating_editing_and_deleting_a_template_is_recorded_in_the_audit_log(editor: Client, page: Page) -> None:
    component = make_component(page, "API")
    typed = {"name": "Slow", "title": "Slow", "body": "It is slow.", "update_status": "identified"}
    sent = fill_in(editor, "/console/p/acme/incident-templates/new", "", **typed, components=component.public_id)
    assert (
        editor.post("/console/p/acme/incident-templates/new", sent)["Location"] == "/console/p/acme/incident-templates"
    )
    made = page.incident_templates.get()
    assert (made.update_status, [item.name for item in made.components.all()]) == ("identified", ["API"])
    at = f"/console/p/acme/incident-templates/{made.public_id}"
    editor.post(at, fill_in(editor, at, "", body="It is very slow."))
    made.refresh_from_db()
    assert (made.body, made.title) == ("It is very slow.", "Slow")
    editor.post(f"{at}/delete")
    assert not page.incident_templates.exists()
    assert AuditEntry.objects.filter(verb="presets.changed").count() == 3


def test_a_second_template_with_the_same_name_is_rejected_and_the_text_is_kept(editor: Client, page: Page) -> None:
    make_template(page, name="Errors")
    sent = fill_in(editor, "/console/p/acme/incident-templates/new", "", name="Errors", title="T", body="Kept.")
    answer = editor.post("/console/p/acme/incident-templates/new", sent)
    assert answer.status_code == 422
    assert "A template named" in answer.content.decode()
    assert "Kept." in answer.content.decode()


def test_an_empty_list_explains_templates_and_offers_the_built_in_ones(editor: Client, page: Page) -> None:
    assert "prepare before an incident" in parsed_page(editor.get("/console/p/acme/incident-templates")).text
    editor.post("/console/p/acme/incident-templates/built-in")
    editor.post("/console/p/acme/incident-templates/built-in")
    assert page.incident_templates.count() == len(DEFAULT_TEMPLATES)
    assert create_built_in_templates(page, actor=SYSTEM) == 0


def test_a_viewer_can_only_read_templates(page: Page) -> None:
    viewer = signed_in("viewer")
    made = make_template(page)
    assert viewer.get("/console/p/acme/incident-templates").status_code == 200
    assert viewer.get(f"/console/p/acme/incident-templates/{made.public_id}").status_code == 403


def test_a_template_fills_in_title_text_status_and_components(editor: Client, page: Page) -> None:
    component = make_component(page, "API")
    chosen = make_template(page, update_status="identified", components=[component], should_send_notifications=False)
    answer = use(editor, chosen, NEW)
    assert answer.status_code == 200
    shown = fields_of(form_to(parsed_page(answer)))
    assert shown["status"] == ["identified"]
    assert shown[f"component_{component.public_id}"] == ["degraded_performance"]
    assert "notify" not in shown
    assert shown["body"] == ["{{component}} fails: {{cause}}."]
    again = use(editor, chosen, NEW, **{f"component_{component.public_id}": "major_outage"})
    filled = fields_of(form_to(parsed_page(again)))
    assert filled["body"] == ["API fails: {{cause}}."]
    assert filled["title"] == ["API fails"]
    assert filled[f"component_{component.public_id}"] == ["major_outage"]


def test_a_template_keeps_text_that_is_already_typed(editor: Client, page: Page) -> None:
    answer = use(editor, make_template(page), NEW, title="My title", body="My words.")
    shown = fields_of(form_to(parsed_page(answer)))
    assert shown["title"] == ["My title"]
    assert shown["body"] == ["My words.\n\n{{component}} fails: {{cause}}."]


def test_a_template_for_an_update_uses_the_values_of_its_incident(editor: Client, page: Page) -> None:
    component = make_component(page, "API")
    incident = make_incident(page, title="Slow API", components={component: "major_outage"})
    chosen = make_template(page, body="{{title}}: {{components}} since {{started}}, for {{duration}}, on {{page}}.")
    answer = use(editor, chosen, url_of(incident), url_of(incident, "/update"))
    body = fields_of(form_to(parsed_page(answer), url_of(incident, "/update")))["body"][0]
    assert body.startswith("Slow API: API since ")
    assert body.endswith(" on Acme.")
    assert "{{" not in body


def test_unfilled_placeholders_block_publishing_and_are_named(editor: Client, page: Page) -> None:
    sent = fill_in(editor, NEW, "", title="{{component}} fails", body="It fails.\n\nBecause of {{cause}}.")
    answer = editor.post(NEW, sent)
    assert answer.status_code == 422
    text = parsed_page(answer).text
    assert "Fill in these placeholders: {{component}} in line 1." in text
    assert "Fill in these placeholders: {{cause}} in line 3." in text
    assert not page.incidents.exists()
    editor.post(NEW, sent | {"title": ["API fails"], "body": ["Use `{{ cause }}` in your template."]})
    assert page.incidents.exists()


def test_templates_with_an_affected_component_come_first(editor: Client, page: Page) -> None:
    component = make_component(page, "API")
    make_template(page, name="A general one")
    make_template(page, name="Of the API", components=[component])
    make_template(page, name="Maintenance", update_status="scheduled")
    incident = make_incident(page, components={component: "major_outage"})
    form = form_to(parsed_page(editor.get(url_of(incident))), url_of(incident, "/update"))
    (choice,) = [select for select in form.all("select") if select.attributes["name"] == "template"]
    names = [option.text for option in choice.all("option")]
    assert names.index("Of the API") < names.index("A general one")
    assert "Maintenance" not in names


def test_the_old_address_redirects(editor: Client, page: Page) -> None:
    assert editor.get("/console/p/acme/presets")["Location"] == "/console/p/acme/incident-templates"
