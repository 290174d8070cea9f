from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.maintenances import maintenance_lifecycle as maintenance_actions
from incidents.actions.update_input import UpdateInput
from incidents.models import AuditEntry, Component, Event, Incident, Page
from statuspage.subscribers.models.channels import channels_for
from tests.console.staff import fields_of, fill_in, form_to, parsed_page, signed_in
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_maintenance,
    make_page,
    make_resolved,
    make_subscriber,
    post,
)
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor", name="Erin")


def dashboard(client: Client) -> Element:
    return parsed_page(client.get("/console/p/acme/"))


def notices(client: Client) -> str:
    return " ".join(part.text for part in dashboard(client).all("p", class_="notice"))


def queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get("/console/p/acme/").status_code == 200
    return len(captured)


# Open incidents


def test_with_nothing_open_it_says_what_visitors_see(editor: Client, page: Page) -> None:
    make_component(page)
    document = dashboard(editor)
    assert document.one("h1").text == "All Systems Operational"
    assert document.one("a", class_="primary").attributes["href"] == "/console/p/acme/incidents/new"
    assert document.all("article") == []


def test_a_hidden_component_does_not_decide_the_headline(editor: Client, page: Page) -> None:
    make_component(page, "REST API", status="major_outage")
    make_component(page, "Fax", only_show_if_degraded=True)
    assert dashboard(editor).one("h1").text == parsed_page(Client().get("/")).one("h1").text == "Major System Outage"


def test_a_fresh_page_says_what_to_do_first(editor: Client) -> None:
    document = dashboard(editor)
    assert "Components are the parts of your service that your customers recognize" in document.text
    assert document.one("a", href="/console/p/acme/components/new").text == "Add the first component"
    assert "When something fails, declare an incident" in document.text


def test_an_open_incident_shows_its_last_update_and_a_form_for_the_next(editor: Client, page: Page) -> None:
    incident = make_incident(page, title="API outage", components={make_component(page): "major_outage"})
    post(incident, "monitoring", "A **fix** is in place.")
    make_subscriber(page)
    document = dashboard(editor)
    assert document.one("h1").text == "1 open incident"
    card = document.one("article")
    assert card.one("h3").text == "API outage"
    assert card.one("strong").text == "fix"
    assert [badge.text for badge in card.all("span", class_="badge")] == ["Monitoring", "Critical impact"]
    form = form_to(document, f"/console/p/acme/incidents/{incident.public_id}/update")
    assert fields_of(form)["status"] == ["monitoring"]
    assert "Notify up to 1 subscriber" in form.text


def test_a_follow_up_from_the_dashboard_is_published(editor: Client, page: Page) -> None:
    incident = make_incident(page, components={make_component(page): "major_outage"})
    target = f"/console/p/acme/incidents/{incident.public_id}/update"
    answer = editor.post(target, fill_in(editor, "/console/p/acme/", target, body="We know more.", status="identified"))
    assert answer["Location"] == f"/console/p/acme/incidents/{incident.public_id}"
    newest = incident.updates.newest_first()[0]
    assert (newest.body, newest.status, newest.notify) == ("We know more.", "identified", True)
    assert Component.objects.get().status == "major_outage"


def test_an_empty_follow_up_comes_back_with_what_is_missing(editor: Client, page: Page) -> None:
    target = f"/console/p/acme/incidents/{make_incident(page).public_id}/update"
    answer = editor.post(target, fill_in(editor, "/console/p/acme/", target, status="monitoring"))
    assert answer.status_code == 422
    assert "Enter a message." in parsed_page(answer).text
    assert fields_of(form_to(parsed_page(answer), target))["status"] == ["monitoring"]


def test_every_form_of_the_dashboard_has_labels_and_ids_of_its_own(editor: Client, page: Page) -> None:
    make_component(page)
    for _ in range(2):
        make_incident(page)
    document = dashboard(editor)
    ids = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    labelled = {label.attributes["for"] for label in document.all("label") if "for" in label.attributes}
    controls = [*document.all("textarea"), *document.all("select")]
    assert controls
    assert {control.attributes["id"] for control in controls} <= labelled


def test_hidden_and_resolved_incidents(editor: Client, page: Page) -> None:
    make_resolved(page, title="Over")
    document = dashboard(editor)
    assert document.all("article") == []
    assert "Over" in document.one("section", aria_labelledby="recent-title").text


# Components


def test_components_in_trouble_stand_first_and_say_so(editor: Client, page: Page) -> None:
    make_component(page, "Website")
    group = make_group(page, "Public APIs")
    make_component(page, "REST API", group=group, status="partial_outage")
    board = dashboard(editor).one("section", aria_labelledby="components-title")
    rows = [row.text for row in board.all("summary")]
    assert rows == ["Public APIs REST API Partial Outage", "1 operational", "Website Operational"]


def test_a_component_is_set_by_hand_with_a_note_for_the_audit_log(editor: Client, page: Page) -> None:
    rest = make_component(page)
    target = f"/console/p/acme/components/{rest.public_id}/status"
    sent = fill_in(editor, "/console/p/acme/", target, status="degraded_performance", note="Disk swap")
    answer = editor.post(target, sent, follow=True)
    assert Component.objects.get().status == "degraded_performance"
    entry = AuditEntry.objects.latest("pk")
    assert entry.details["note"] == "Disk swap"
    assert entry.actor_label == "Erin"
    assert [event.kind for event in Event.objects.notifying()] == ["component.status"]
    assert channels_for("component.status") == ["webhook"]
    assert "REST API set to Degraded Performance." in parsed_page(answer).text


def test_an_archived_component_cannot_be_set(editor: Client, page: Page) -> None:
    rest = make_component(page)
    Component.objects.update(archived_at=timezone.now())
    assert (
        editor.post(f"/console/p/acme/components/{rest.public_id}/status", {"status": "major_outage"}).status_code
        == 404
    )


# What staff should know


def test_mail_that_goes_to_files_is_no_secret(editor: Client, settings: Any) -> None:
    settings.EMAIL_URL = ""
    assert "mails are written to files" in notices(editor)
    assert dashboard(editor).all("a", href="/console/p/acme/mail")
    settings.EMAIL_URL = "smtp://mail.example.com"
    assert "written to files" not in notices(editor)


# What it costs


def test_ten_open_incidents_cost_as_many_queries_as_one(editor: Client, page: Page) -> None:
    make_incident(page, components={make_component(page): "major_outage"})
    before = queries(editor)
    for number in range(9):
        incident = make_incident(page, components={make_component(page, f"Part {number}"): "major_outage"})
        post(incident)
    assert queries(editor) == before <= 15


def test_two_hundred_components_cost_as_many_queries_as_none(editor: Client, page: Page) -> None:
    before = queries(editor)
    for number in range(8):
        group = make_group(page, f"Group {number}")
        for member in range(25):
            make_component(page, f"Part {member}", group=group)
    assert queries(editor) == before <= 15
    assert len(dashboard(editor).all("li", class_="board-row")) == 200


def test_a_reopened_incident_is_open_again(editor: Client, page: Page) -> None:
    actions.reopen(make_resolved(page), UpdateInput(body="It is back."), actor=ALICE)
    assert dashboard(editor).one("h1").text == "1 open incident"
    assert Incident.objects.count() == 1


# Maintenance


def planned(document: Element) -> list[str]:
    """The rows of the section about maintenance; none if there is no such section."""
    sections = document.all("section", aria_labelledby="maintenance-title")
    return [row.text for section in sections for row in section.all("li")]


def test_upcoming_and_running_ones_stand_there_with_their_next_step(editor: Client, page: Page) -> None:
    assert planned(dashboard(editor)) == []
    begins = datetime(2029, 10, 24, 0, 0, tzinfo=UTC)
    make_maintenance(page, title="By the clock", begins=begins)
    make_maintenance(page, title="By hand", begins=begins + timedelta(days=1), auto_start=False)
    running = make_maintenance(page, title="Running", begins=begins + timedelta(days=2))
    maintenance_actions.start(running, actor=ALICE)
    assert planned(dashboard(editor)) == [
        "By the clock Oct 24, 02:00 – 04:00 CEST Scheduled Starts automatically, Oct 24, 02:00 CEST",
        "By hand Oct 25, 02:00 – 04:00 CEST Scheduled Start manually, Oct 25, 02:00 CEST",
        "Running Oct 26, 02:00 – 04:00 CEST In progress Completes automatically, Oct 26, 04:00 CEST",
    ]
    assert dashboard(editor).one("h1").text != "3 open incidents"


def test_the_way_to_schedule_one_stands_beside_the_way_to_declare(editor: Client, page: Page) -> None:
    links = [link.attributes["href"] for link in dashboard(editor).one("div", class_="heading").all("a")]
    assert links == ["/console/p/acme/incidents/new", "/console/p/acme/maintenances/new"]
    assert "/console/p/acme/maintenances/new" not in [
        a.attributes["href"] for a in dashboard(signed_in("viewer")).all("a")
    ]


def test_many_maintenances_cost_the_dashboard_no_more_queries(editor: Client, page: Page) -> None:
    make_maintenance(page)
    before = queries(editor)
    for _ in range(10):
        make_maintenance(page)
    assert queries(editor) == before
