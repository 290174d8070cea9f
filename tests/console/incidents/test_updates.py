from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.models import Component, Event, Incident, Page
from statuspage.notifications.fan_out import fan_out
from statuspage.notifications.models import Delivery, DeliveryState
from tests.console.staff import fields_of, fill_in, form_to, parsed_page
from tests.factories import make_component, make_incident, make_page, make_subscriber, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


def url_of(incident: Incident, verb: str = "") -> str:
    return f"/console/p/acme/incidents/{incident.public_id}{verb}"


def post_by_form(client: Client, incident: Incident, **typed: Any) -> Any:
    sent = fill_in(client, url_of(incident), url_of(incident, "/update"), **{"body": "We know more."} | typed)
    return client.post(url_of(incident, "/update"), sent)


def test_an_update_keeps_the_status_that_is_preselected(editor: Client, page: Page) -> None:
    incident = make_incident(page, status="identified")
    document = parsed_page(editor.get(url_of(incident)))
    assert fields_of(form_to(document, url_of(incident, "/update")))["status"] == ["identified"]
    answer = post_by_form(editor, incident)
    assert (answer.status_code, answer["Location"]) == (302, url_of(incident))
    newest = incident.updates.newest_first()[0]
    assert (newest.status, newest.body, newest.label) == ("identified", "We know more.", "Update")
    shown = parsed_page(editor.get(url_of(incident)))
    assert "Update published." in shown.text
    assert "We know more." in shown.one("ol", class_="timeline").all("li")[0].text


def test_an_update_moves_the_incident_and_its_components(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    incident = make_incident(page, components={rest: "major_outage"})
    post_by_form(editor, incident, status="monitoring", **{f"component_{website.public_id}": "degraded_performance"})
    incident.refresh_from_db()
    assert incident.status == "monitoring"
    statuses = dict(Component.objects.values_list("name", "status"))
    assert statuses == {"REST API": "major_outage", "Website": "degraded_performance"}
    assert "Website: Operational → Degraded Performance" in parsed_page(editor.get(url_of(incident))).text


def test_a_component_that_was_not_touched_keeps_its_status(editor: Client, page: Page) -> None:
    rest = make_component(page, "REST API")
    incident = make_incident(page, components={rest: "major_outage"})
    post_by_form(editor, incident)
    rest.refresh_from_db()
    assert rest.status == "major_outage"
    assert not incident.updates.newest_first()[0].affected.exists()


def test_a_follow_up_may_be_backdated_in_the_zone_of_the_page(editor: Client, page: Page) -> None:
    incident = make_incident(page, at=datetime(2022, 9, 21, 14, 14, tzinfo=UTC))
    post_by_form(editor, incident, at="2022-09-21 16:25")
    assert incident.updates.newest_first()[0].display_at == datetime(2022, 9, 21, 14, 25, tzinfo=UTC)
    text = parsed_page(editor.get(url_of(incident))).text
    assert "Sep 21, 2022 - 16:25 CEST" in text
    assert "Started Sep 21, 2022 - 16:14 CEST" in text


def test_an_update_tells_subscribers_or_nobody_as_ticked(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    post_by_form(editor, incident)
    assert Event.objects.latest("pk").notify
    post_by_form(editor, incident, notify=None)
    assert not Event.objects.latest("pk").notify
    assert "not notified" in parsed_page(editor.get(url_of(incident))).one("ol", class_="timeline").all("li")[0].text


def test_a_second_click_makes_no_second_update(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    sent = fill_in(editor, url_of(incident), url_of(incident, "/update"), body="We know more.")
    answers = [editor.post(url_of(incident, "/update"), sent) for _ in range(2)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, url_of(incident))] * 2
    assert incident.updates.count() == 2
    assert Event.objects.filter(kind="incident.updated").count() == 1


def test_without_javascript_the_preview_button_publishes_nothing_and_keeps_the_text(editor: Client, page: Page) -> None:
    rest = make_component(page)
    incident = make_incident(page)
    typed = {"body": "**Bold**", "status": "monitoring", f"component_{rest.public_id}": "partial_outage"}
    sent = fill_in(editor, url_of(incident), url_of(incident, "/update"), **typed, preview="1")
    answer = editor.post(url_of(incident, "/update"), sent)
    assert answer.status_code == 200
    document = parsed_page(answer)
    assert "Bold" in [part.text for part in document.all("strong")]
    held = fields_of(form_to(document, url_of(incident, "/update")))
    assert {name: held[name] for name in typed} == {name: [value] for name, value in typed.items()}
    assert incident.updates.count() == 1


def test_updates_are_listed_newest_first_with_their_times(editor: Client, page: Page) -> None:
    incident = make_incident(page, at=datetime(2022, 9, 21, 14, 14, tzinfo=UTC))
    post(incident, body="Second.", at=datetime(2022, 9, 21, 14, 25, tzinfo=UTC))
    entries = parsed_page(editor.get(url_of(incident))).one("ol", class_="timeline").all("li")
    assert [entry.one("time").attributes["datetime"] for entry in entries] == [
        "2022-09-21T14:25:00Z",
        "2022-09-21T14:14:00Z",
    ]
    assert "Second." in entries[0].text


def test_an_unknown_incident_is_not_found(editor: Client) -> None:
    assert editor.get("/console/p/acme/incidents/nosuchcode12").status_code == 404


def test_the_page_of_an_incident_costs_the_same_with_one_update_and_with_thirty(editor: Client, page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(url_of(incident)).status_code == 200
        return len(captured)

    components = [make_component(page, f"Part {number}") for number in range(30)]
    incident = make_incident(page, components={components[0]: "major_outage"})
    before = queries()
    for component in components[1:]:
        post(incident, components={component: "partial_outage"})
    assert queries() == before <= 20


# How far the deliveries are: a fragment that asks again until everybody has been told.


def fragment(client: Client, incident: Incident) -> Any:
    return client.get(url_of(incident), headers={"hx-request": "true"})


def tell(incident: Incident) -> None:
    fan_out(incident.events.latest("pk").pk)


def test_the_fragment_of_deliveries_is_only_that(editor: Client, page: Page) -> None:
    answer = fragment(editor, make_incident(page))
    assert answer.status_code == 200
    (progress,) = [part for part in parsed_page(answer).content if not isinstance(part, str)]
    assert progress.attributes["id"] == "delivery-progress"
    assert b"<html" not in answer.content


def test_the_page_polls_while_notifications_are_pending(editor: Client, page: Page) -> None:
    make_subscriber(page)
    make_subscriber(page)
    incident = make_incident(page)

    def look() -> tuple[bool, str]:
        progress = parsed_page(fragment(editor, incident)).one("div")
        return progress.attributes.get("hx-get") == url_of(incident), progress.text

    asks, text = look()
    assert (asks, "Preparing notifications…" in text) == (True, True)
    tell(incident)
    asks, text = look()
    assert (asks, "0 sent, 2 queued, 0 failed" in text) == (True, True)
    first, second = Delivery.objects.order_by("pk")
    Delivery.objects.mark_sent([first.pk])
    asks, text = look()
    assert (asks, "1 sent, 1 queued, 0 failed" in text) == (True, True)
    Delivery.objects.filter(pk=second.pk).update(state=DeliveryState.FAILED)
    asks, text = look()
    assert (asks, "1 sent, 0 queued, 1 failed" in text) == (False, True)


def test_a_failed_delivery_is_not_counted_as_sent(editor: Client, page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    tell(incident)
    Delivery.objects.update(state=DeliveryState.FAILED)
    assert "1 failed" in parsed_page(fragment(editor, incident)).text


def test_it_says_so_when_nobody_is_subscribed(editor: Client, page: Page) -> None:
    incident = make_incident(page)
    tell(incident)
    progress = parsed_page(fragment(editor, incident)).one("div")
    assert "hx-get" not in progress.attributes
    assert "No matching subscribers" in progress.text


def test_an_incident_without_notifications_shows_no_deliveries(editor: Client, page: Page) -> None:
    incident = make_incident(page, notify=False)
    assert fragment(editor, incident).content.strip() == b""
    assert not [
        part
        for part in parsed_page(editor.get(url_of(incident))).walk()
        if part.attributes.get("id") == "delivery-progress"
    ]


def test_the_progress_is_a_picture_and_numbers(editor: Client, page: Page) -> None:
    make_subscriber(page)
    incident = make_incident(page)
    tell(incident)
    bar = parsed_page(editor.get(url_of(incident))).one("progress")
    assert (bar.attributes["max"], bar.attributes["value"]) == ("1", "0")
    assert bar.attributes["aria-label"]
