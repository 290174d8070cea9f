from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from incidents.models import Component, Event, Incident, Page
from tests.console.staff import fields_of, fill_in, form_to, parsed_page
from tests.factories import make_component, make_incident, make_resolved
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db


def url_of(incident: Incident, verb: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}{verb}"


def resolve_form(client: Client, incident: Incident) -> Element:
    return form_to(parsed_page(client.get(url_of(incident))), url_of(incident, "/resolve"))


def resolve(client: Client, incident: Incident, **typed: Any) -> Any:
    fields = {f"resolve-{name}": value for name, value in typed.items()}
    return client.post(
        url_of(incident, "/resolve"), fill_in(client, url_of(incident), url_of(incident, "/resolve"), **fields)
    )


def status_of(component: Component) -> str:
    return Component.objects.get(pk=component.pk).status


def test_the_resolve_form_is_prefilled(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    answer = resolve(editor, incident)
    assert (answer.status_code, answer["Location"]) == (302, url_of(incident))
    incident.refresh_from_db()
    assert incident.status == "resolved"
    assert incident.updates.newest_first()[0].body == "This incident has been resolved."
    assert status_of(rest) == "operational"
    assert Event.objects.get(kind="incident.resolved").notify


def test_unchecked_components_keep_their_status(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    incident = make_incident(page, components={rest: "major_outage", website: "degraded_performance"})
    assert fields_of(resolve_form(editor, incident))["resolve-restore"] == [rest.public_id, website.public_id]
    resolve(editor, incident, restore=[rest.public_id])
    assert (status_of(rest), status_of(website)) == ("operational", "degraded_performance")


def test_with_nothing_checked_no_component_changes(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    resolve(editor, incident, restore=None)
    assert status_of(rest) == "major_outage"
    assert Incident.objects.get().status == "resolved"


def test_a_component_that_another_open_incident_names_is_offered_but_not_ticked(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    make_incident(page, components={rest: "partial_outage"})
    incident = make_incident(page, components={rest: "major_outage", website: "major_outage"})
    form = resolve_form(editor, incident)
    boxes = {box.attributes["value"]: "checked" in box.attributes for box in form.all("input", name="resolve-restore")}
    assert boxes == {rest.public_id: False, website.public_id: True}
    resolve(editor, incident)
    assert (status_of(rest), status_of(website)) == ("major_outage", "operational")


def test_operational_components_are_not_offered(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    Component.objects.update(status="operational")
    form = resolve_form(editor, incident)
    assert form.all("input", name="resolve-restore") == []
    assert "All affected components are operational." in form.text


def test_an_incident_that_names_no_component_claims_nothing_about_them(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    assert "operational" not in resolve_form(editor, incident).text
    resolve(editor, incident)
    assert Incident.objects.get().status == "resolved"


def test_own_words_and_a_time_in_the_past(editor: Client, page: Page) -> None:
    incident = make_incident(page, at=datetime(2022, 9, 21, 14, 14, tzinfo=UTC))
    resolve(editor, incident, body="It is **over**.", at="2022-09-21 15:02", notify=None)
    incident.refresh_from_db()
    assert incident.resolved_at == datetime(2022, 9, 21, 15, 2, tzinfo=UTC)
    assert "It is over." in parsed_page(editor.get(url_of(incident))).text
    assert "after 48 minutes" in parsed_page(editor.get(url_of(incident))).text
    assert not Event.objects.get(kind="incident.resolved").notify


def test_a_double_click_on_resolve_ends_on_the_incident_and_resolves_it_once(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    sent = fill_in(editor, url_of(incident), url_of(incident, "/resolve"))
    answers = [editor.post(url_of(incident, "/resolve"), sent) for _ in range(2)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, url_of(incident))] * 2
    assert incident.updates.count() == 2
    assert Event.objects.filter(kind="incident.resolved").count() == 1


def test_a_refused_resolution_keeps_the_ticks_as_they_were(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    incident = make_incident(page, components={rest: "major_outage", website: "major_outage"})
    answer = resolve(editor, incident, restore=[website.public_id], body="")
    assert answer.status_code == 422
    document = parsed_page(answer)
    assert fields_of(form_to(document, url_of(incident, "/resolve")))["resolve-restore"] == [website.public_id]
    (section,) = [part for part in document.all("details") if part.attributes.get("id") == "resolve"]
    assert "open" in section.attributes


def test_the_preview_of_a_resolution_keeps_the_ticks_and_publishes_nothing(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page, components={rest: "major_outage"})
    sent = fill_in(editor, url_of(incident), url_of(incident, "/resolve"), **{"resolve-body": "**Over**"})
    del sent["resolve-restore"]
    answer = editor.post(url_of(incident, "/resolve"), sent | {"preview": "1"})
    assert answer.status_code == 200
    form = form_to(parsed_page(answer), url_of(incident, "/resolve"))
    assert form.one("strong").text == "Over"
    assert "resolve-restore" not in fields_of(form)
    assert Incident.objects.get().status == "investigating"


def test_a_resolved_incident_offers_to_reopen_and_to_say_when_its_impact_began(editor: Client, page: Page) -> None:
    incident = make_resolved(page)
    actions = [form.attributes["action"] for form in parsed_page(editor.get(url_of(incident))).one("main").all("form")]
    assert actions == [url_of(incident, "/reopen"), url_of(incident, "/impact-start")]


def test_a_resolved_incident_is_reopened(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_resolved(page)
    typed = {"body": "It is back.", "status": "identified", f"component_{rest.public_id}": "partial_outage"}
    sent = fill_in(editor, url_of(incident), url_of(incident, "/reopen"), **typed)
    answers = [editor.post(url_of(incident, "/reopen"), sent) for _ in range(2)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, url_of(incident))] * 2
    incident.refresh_from_db()
    assert (incident.status, incident.resolved_at) == ("identified", None)
    assert status_of(rest) == "partial_outage"
    assert Event.objects.filter(kind="incident.reopened").count() == 1


def test_reopening_begins_with_investigating(editor: Client, page: Page) -> None:
    incident = make_resolved(page)
    form = form_to(parsed_page(editor.get(url_of(incident))), url_of(incident, "/reopen"))
    assert fields_of(form)["status"] == ["investigating"]
