from datetime import UTC, date, datetime

import pytest

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident
from tests.factories import ALICE, make_component, make_group, make_incident, make_page, make_resolved, post
from tests.public.parsed_page import Element, get, read

pytestmark = pytest.mark.django_db


def at(hour: int, minute: int, day: int = 21) -> datetime:
    return datetime(2022, 9, day, hour, minute, tzinfo=UTC)


def report(incident: Incident) -> Element:
    return read(f"/incidents/{incident.public_id}")


def the_outage() -> Incident:
    """The incident that this project was born from, in short."""
    page = make_page(name="Pipedream")
    api = make_component(page, "REST API", group=make_group(page, "Public APIs"))
    incident = make_incident(
        page,
        title="API outage on event summary endpoints",
        body="We have observed errors.\n\nWe're currently investigating.",
        components={api: "partial_outage"},
        at=at(14, 14),
    )
    post(incident, status="monitoring", body="A fix has been implemented.", at=at(14, 25))
    resolved = "This incident has been resolved."
    incident_lifecycle.resolve(
        incident, UpdateInput(body=resolved, at=at(15, 2)), restore={api: "operational"}, actor=ALICE
    )
    return incident


def test_the_head_says_what_when_and_for_how_long() -> None:
    page = report(the_outage())
    assert page.one("h1").text == "API outage on event summary endpoints"
    assert page.one("title").text == "Pipedream Status - API outage on event summary endpoints"
    assert "Incident Report for Pipedream" in page.text
    assert page.one("dl").text == (
        "Impact Major impact Started Sep 21, 2022 - 14:14 UTC Resolved Sep 21, 2022 - 15:02 UTC Duration 48 minutes"
    )


def test_an_open_incident_is_ongoing_and_has_no_duration() -> None:
    facts = report(make_incident(make_page(), status="identified")).one("dl").text
    assert facts.endswith("Identified, ongoing")
    assert "Duration" not in facts


def test_updates_stand_newest_first_with_label_text_and_time() -> None:
    updates = [update.text for update in report(the_outage()).all("article", class_="update")]
    assert updates == [
        "Resolved Posted Sep 21, 2022 - 15:02 UTC This incident has been resolved.",
        "Monitoring Posted Sep 21, 2022 - 14:25 UTC A fix has been implemented.",
        "Investigating Posted Sep 21, 2022 - 14:14 UTC We have observed errors. We're currently investigating.",
    ]


def test_the_last_line_names_what_was_affected() -> None:
    assert (
        report(the_outage())
        .one("article", class_="report")
        .text.endswith("This incident affected: Public APIs (REST API).")
    )


def test_times_are_those_of_the_pages_zone_and_machines_read_utc() -> None:
    page = make_page(time_zone="America/Los_Angeles")
    (posted,) = report(make_incident(page, at=at(14, 14))).one("article", class_="update").all("time")
    assert (posted.text, posted.attributes["datetime"]) == ("Sep 21, 2022 - 07:14 PDT", "2022-09-21T14:14:00Z")


def test_the_postmortem_comes_first_with_its_time_and_its_markdown() -> None:
    incident = the_outage()
    text = "# What happened\n\n1. One\n2. Two\n\nSee [this](https://example.com/) and `code`."
    postmortem_lifecycle.publish(incident, body=text, actor=ALICE, at=at(19, 35, day=22))
    page = report(incident)
    first, second = page.one("article", class_="report").all("section")
    assert (first.attributes["class"], second.one("h2").text) == ("postmortem", "Updates")
    assert "Posted Sep 22, 2022 - 19:35 UTC" in first.text
    essay = first.one("div", class_="essay")
    assert [essay.one("h2").text, len(essay.all("li")), essay.one("code").text] == ["What happened", 2, "code"]
    assert essay.one("a").attributes["href"] == "https://example.com/"


def test_action_items_say_who_does_what_until_when_and_how_many_are_done() -> None:
    incident = the_outage()
    item = ActionItemDraft
    items = [
        item(text="Upgrade the client", owner="Platform", done=True, url="https://example.com/1"),
        item(text="Raise better alarms", owner="Observability", due_on=date(2022, 10, 1)),
    ]
    postmortem_lifecycle.publish(incident, body="What we learned.", actor=ALICE, action_items=items)
    section = report(incident).one("section", class_="actions")
    done, waiting = section.all("li")
    assert "1 of 2 done" in section.text
    progress = section.one("progress").attributes
    assert (progress["value"], progress["max"], progress["aria-labelledby"]) == ("1", "2", "actions")
    assert done.text.startswith("Upgrade the client Done")
    assert "Platform" in done.text
    assert done.one("a").attributes["href"] == "https://example.com/1"
    assert waiting.text == "Raise better alarms Open Observability Due Oct 01, 2022"


def test_an_edited_update_says_so_and_shows_the_change() -> None:
    incident = make_incident(make_page(), body="The API is slow.")
    update = incident.updates.get()
    incident_lifecycle.edit_update(update, body="The API is down.", actor=ALICE)
    shown = report(incident).one("article", class_="update")
    assert shown.one("p", class_="edited").text.startswith("Edited ")
    change = shown.one("details").one("div", class_="change")
    assert (change.one("del").text, change.one("ins").text) == ("slow.", "down.")


def test_a_text_that_never_changed_shows_no_change() -> None:
    page = report(the_outage())
    assert (page.all("details"), page.all("p", class_="edited")) == ([], [])


def test_a_revised_postmortem_keeps_its_time_and_shows_the_change() -> None:
    incident = the_outage()
    postmortem_lifecycle.publish(incident, body="It took an hour.", actor=ALICE, at=at(19, 35, day=22))
    postmortem_lifecycle.publish(incident, body="It took a day.", actor=ALICE)
    section = report(incident).one("section", class_="postmortem")
    assert "Posted Sep 22, 2022 - 19:35 UTC Edited " in section.text
    assert [mark.text for mark in section.all("ins")] == ["a", "day."]


def test_an_unknown_code_is_not_found() -> None:
    make_page()
    assert get("/incidents/aaaaaaaaaaaa").status_code == 404
    assert get("/incidents/" + "x" * 2000).status_code == 404


def test_hostile_names_and_titles_are_shown_as_the_text_they_are() -> None:
    hostile = "<img src=x onerror=alert(1)>\"'&"
    page = make_page(name=hostile, description=hostile)
    component = make_component(page, hostile, group=make_group(page, hostile, description=hostile), description=hostile)
    incident = make_incident(page, title=hostile, components={component: "major_outage"})
    assert report(incident).one("h1").text == hostile
    for path in ("/", "/history", f"/incidents/{incident.public_id}"):
        document = read(path)
        assert hostile in document.text, path
        assert not document.all("img"), path


def test_the_postmortem_of_an_incident_that_was_reopened_stays() -> None:
    incident = make_resolved(make_page())
    postmortem_lifecycle.publish(incident, body="What we learned.", actor=ALICE)
    incident_lifecycle.reopen(incident, UpdateInput(body="It is back."), actor=ALICE)
    assert "What we learned." in report(incident).text
