from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.components import component_lifecycle as component_actions
from incidents.models import Component, Event, Incident, IncidentUpdate, Page
from tests.console.staff import Fields, fields_of, fill_in, form_to, parsed_page
from tests.factories import ALICE, make_component, make_group, make_page, make_subscriber

pytestmark = pytest.mark.django_db

NEW = "/console/p/acme/incidents/new"


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


def untouched(fields: Fields) -> Fields:
    return {name: values for name, values in fields.items() if name not in ("csrfmiddlewaretoken", "preview")}


def declare(client: Client, **typed: Any) -> Any:
    return client.post(NEW, fill_in(client, NEW, **{"title": "API outage", "body": "We are **looking**."} | typed))


def test_a_declared_incident_is_published_with_its_components(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    answer = declare(editor, **{f"component_{rest.public_id}": "partial_outage"})
    incident = Incident.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/console/p/acme/incidents/{incident.public_id}")
    assert (incident.title, incident.status, incident.impact) == ("API outage", "investigating", "major")
    assert incident.updates.get().body_html == "<p>We are <strong>looking</strong>.</p>"
    assert incident.affected_components() == [rest]
    assert list(Component.objects.order_by("pk").values_list("status", flat=True)) == ["partial_outage", "operational"]
    assert incident.events.get().notify
    assert "Incident published." in parsed_page(editor.get(answer["Location"])).text
    assert "API outage" in parsed_page(Client().get("/")).text
    assert website.status == "operational"


def test_a_title_and_a_message_are_enough(editor: Client) -> None:
    declare(editor)
    assert Incident.objects.get().impact == "none"


def test_a_manually_selected_impact_is_kept(editor: Client, page: Page) -> None:
    rest = make_component(page)
    declare(editor, impact="critical", **{f"component_{rest.public_id}": "degraded_performance"})
    assert Incident.objects.get().impact == "critical"


def test_an_incident_can_start_with_a_later_status(editor: Client) -> None:
    declare(editor, status="monitoring")
    assert Incident.objects.get().status == "monitoring"


def test_subscribers_are_not_notified_when_the_box_is_cleared(editor: Client) -> None:
    declare(editor, notify=None)
    assert not Event.objects.get(kind="incident.opened").notify
    assert not IncidentUpdate.objects.get().notify


def test_the_form_shows_the_number_of_recipients(editor: Client, page: Page) -> None:
    assert "Notify up to 0 subscribers" in parsed_page(editor.get(NEW)).text
    make_subscriber(page)
    assert parsed_page(editor.get(NEW)).text.endswith("Notify up to 1 subscriber")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2022-09-21 16:14", datetime(2022, 9, 21, 14, 14, tzinfo=UTC)),
        ("2022-09-21T16:14", datetime(2022, 9, 21, 14, 14, tzinfo=UTC)),
        ("2022-12-21 16:14", datetime(2022, 12, 21, 15, 14, tzinfo=UTC)),
        ("2022-09-21T14:14Z", datetime(2022, 9, 21, 14, 14, tzinfo=UTC)),
        ("2022-09-21T14:14:30+00:00", datetime(2022, 9, 21, 14, 14, 30, tzinfo=UTC)),
        (" 2022-09-21 16:14 ", datetime(2022, 9, 21, 14, 14, tzinfo=UTC)),
    ],
)
def test_a_backdated_time_is_read_in_the_zone_of_the_page(editor: Client, typed: str, meant: datetime) -> None:
    declare(editor, at=typed)
    assert Incident.objects.get().started_at == meant


def test_the_time_defaults_to_now(editor: Client) -> None:
    declare(editor)
    assert timezone.now() - Incident.objects.get().started_at < timedelta(minutes=1)


def test_the_form_names_the_time_zone(editor: Client) -> None:
    assert "In Europe/Berlin." in parsed_page(editor.get(NEW)).text


def test_without_javascript_the_preview_button_shows_the_text_and_keeps_all_that_was_typed(
    editor: Client, page: Page
) -> None:
    rest = make_component(page)
    name = f"component_{rest.public_id}"
    typed = {
        "title": "A <b>",
        "status": "identified",
        "impact": "minor",
        "body": "**Bold**\n\nLine",
        name: "major_outage",
    }
    sent = fill_in(editor, NEW, **typed, at="2022-09-21 16:14", notify=None, preview="1")
    answer = editor.post(NEW, sent)
    assert answer.status_code == 200
    document = parsed_page(answer)
    assert document.one("div", class_="preview").one("strong").text == "Bold"
    assert untouched(fields_of(form_to(document))) == untouched(sent)
    assert not Incident.objects.exists()


def test_a_preview_shows_no_errors_for_an_unfinished_form(editor: Client) -> None:
    answer = editor.post(NEW, {"preview": "1", "title": "", "body": ""})
    assert answer.status_code == 200
    assert "Nothing was published" not in parsed_page(answer).text


def test_a_double_click_makes_one_incident(editor: Client) -> None:
    sent = fill_in(editor, NEW, title="API outage", body="We are looking.")
    answers = [editor.post(NEW, sent) for _ in range(2)]
    incident = Incident.objects.get()
    assert {answer["Location"] for answer in answers} == {f"/console/p/acme/incidents/{incident.public_id}"}
    assert incident.updates.count() == 1
    assert Event.objects.filter(kind="incident.opened").count() == 1


def test_an_empty_post_is_rejected_like_an_empty_form(editor: Client) -> None:
    assert editor.post(NEW).status_code == 422


def test_a_page_without_components_links_to_adding_them(editor: Client) -> None:
    document = parsed_page(editor.get(NEW))
    assert "This page has no components yet." in document.text
    assert document.one("fieldset").one("a").attributes["href"] == "/console/p/acme/components"


def test_components_stand_in_page_order_under_their_groups_and_archived_ones_are_gone(
    editor: Client, page: Page
) -> None:
    make_component(page, "Website")
    group = make_group(page, "Public APIs")
    make_component(page, "REST API", group=group, status="partial_outage")
    component_actions.set_archived(make_component(page, "Fax"), archived=True, actor=ALICE)
    document = parsed_page(editor.get(NEW))
    picker = document.one("fieldset")
    assert [label.text for label in picker.all("label")] == ["Website", "REST API"]
    assert "Website" in picker.text.split("Public APIs")[0]
    assert [options.all("option")[0].text for options in picker.all("select")] == ["Operational", "Partial Outage"]


def test_two_hundred_components_cost_as_many_queries_as_two(editor: Client, page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(NEW).status_code == 200
        return len(captured)

    make_component(page)
    before = queries()
    for number in range(8):
        group = make_group(page, f"Group {number}")
        for member in range(25):
            make_component(page, f"A rather long name of a component {member}", group=group)
    assert queries() == before <= 9
    picker = parsed_page(editor.get(NEW)).one("fieldset")
    assert len(picker.all("select")) == 201
    assert len({label.attributes["for"] for label in picker.all("label")}) >= 201
