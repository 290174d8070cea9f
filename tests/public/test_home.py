from datetime import timedelta

import pytest
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from tests.factories import ALICE, make_component, make_group, make_incident, make_page, make_resolved, post
from tests.public.parsed_page import Element, read

pytestmark = pytest.mark.django_db


def members(home: Element) -> list[str]:
    """Name and status of each."""
    rows = [item for members in home.all("ul", class_="members") for item in members.all("li")]
    return [" ".join(row.one("span", class_=part).text for part in ("name", "status")) for row in rows]


def test_a_page_without_incidents_leads_with_its_headline() -> None:
    make_component(make_page())
    assert read("/").one("h1").text == "All Systems Operational"


def test_the_headline_is_hidden_while_an_incident_is_open() -> None:
    page = make_page()
    make_component(page, status="major_outage")
    assert read("/").one("h1").text == "Major System Outage"
    make_incident(page, title="Nothing works")
    home = read("/")
    assert home.one("h1").text == "1 open incident"
    assert home.one("h2", class_="headline").text == "Nothing works"
    assert "Major System Outage" not in home.text


def test_the_headline_comes_back_when_the_incident_is_resolved() -> None:
    page = make_page()
    incident = make_incident(page)
    incident_lifecycle.resolve(incident, UpdateInput(body="Done."), restore=None, actor=ALICE)
    assert read("/").one("h1").text == "All Systems Operational"


def test_open_incidents_stand_newest_first_with_their_newest_update_on_top() -> None:
    page = make_page()
    now = timezone.now()
    older = make_incident(page, title="Older", at=now - timedelta(hours=3), body="first words")
    make_incident(page, title="Newer", at=now - timedelta(hours=2))
    post(older, status="identified", body="latest words", at=now - timedelta(hours=1))
    home = read("/")
    assert [title.text for title in home.all("h2", class_="headline")] == ["Older", "Newer"]
    updates = [update.text for update in home.all("article", class_="open")[0].all("div", class_="update")]
    assert ["latest words" in updates[0], "first words" in updates[1]] == [True, True]


def test_an_update_that_repeats_the_status_is_labelled_update() -> None:
    incident = make_incident(make_page(), status="investigating")
    post(incident, status="investigating", body="Still looking.")
    labels = [side.one("strong").text for side in read("/").all("p", class_="ledger-side") if side.all("strong")]
    assert labels == ["Update", "Investigating"]


def test_an_open_incident_names_what_it_affects() -> None:
    page = make_page()
    api = make_component(page, "REST API", group=make_group(page, "Public APIs"))
    web = make_component(page, "Website")
    make_incident(page, components={api: "partial_outage", web: "degraded_performance"})
    assert "Affected: Public APIs (REST API), Website" in read("/").one("article", class_="open").text


def test_components_stand_in_page_order_with_the_word_for_their_status() -> None:
    page = make_page()
    group = make_group(page, "Public APIs")
    make_component(page, "REST API", group=group, status="degraded_performance")
    make_component(page, "Webhooks", group=group)
    make_component(page, "Website", status="under_maintenance")
    assert members(read("/")) == [
        "REST API Degraded Performance",
        "Webhooks Operational",
        "Website Maintenance",
    ]


def test_a_group_has_the_word_of_its_worst_member() -> None:
    page = make_page()
    group = make_group(page, "Public APIs")
    make_component(page, "REST API", group=group, status="partial_outage")
    make_component(page, "Webhooks", group=group, status="major_outage")
    assert read("/").one("summary").text == "Public APIs Major Outage 2 components"


def test_a_long_list_folds_the_groups_that_are_well_and_opens_those_in_trouble() -> None:
    page = make_page()
    well, ill = make_group(page, "Well"), make_group(page, "Ill")
    for number in range(24):
        make_component(page, f"Part {number}", group=well)
    make_component(page, "Broken", group=ill, status="partial_outage")
    groups = {group.one("h3").text: "open" in group.attributes for group in read("/").all("details")}
    assert groups == {"Well": False, "Ill": True}


def test_a_short_list_is_shown_whole() -> None:
    page = make_page()
    make_component(page, group=make_group(page))
    assert "open" in read("/").one("details").attributes


def test_the_last_fifteen_days_are_listed_even_if_nothing_happened() -> None:
    make_page()
    days = read("/").all("div", class_="day")
    assert len(days) == 15
    assert days[0].text.endswith("No incidents reported today.")
    assert days[1].text.endswith("No incidents reported.")


def test_a_resolved_incident_stands_under_the_day_of_its_last_update_with_all_its_updates() -> None:
    page = make_page()
    now = timezone.now()
    make_resolved(
        page, title="It broke", body="We are looking.", at=now - timedelta(days=4), until=now - timedelta(days=2)
    )
    (day,) = [day for day in read("/").all("div", class_="day") if "It broke" in day.text]
    assert day.one("h3").text == f"{now - timedelta(days=2):%b %d, %Y}"
    assert day.text.index("This incident has been resolved.") < day.text.index("We are looking.")


def test_a_past_incident_leads_to_its_postmortem_once_that_is_published() -> None:
    now = timezone.now()
    past = make_resolved(make_page(), at=now - timedelta(days=2), until=now - timedelta(days=1))
    postmortem_lifecycle.save_draft(past, body="Not yet.", actor=ALICE)
    assert "Postmortem" not in read("/").text
    postmortem_lifecycle.publish(past, body="What we learned.", actor=ALICE)
    links = [link.attributes["href"] for link in read("/").all("a") if link.text == "Read details"]
    assert links == [f"/incidents/{past.public_id}#postmortem"]


def test_an_incident_that_ended_before_those_days_is_left_to_the_history() -> None:
    page = make_page()
    now = timezone.now()
    make_resolved(page, title="Long gone", at=now - timedelta(days=17), until=now - timedelta(days=16))
    assert "Long gone" not in read("/").text


def test_a_page_without_components_says_so() -> None:
    make_page()
    assert "No components are listed yet." in read("/").text


def test_the_description_is_shown_and_its_addresses_are_links() -> None:
    make_page(description="Ask at https://help.example.com/ first.")
    about = read("/").one("section", class_="about")
    assert about.one("a").attributes["href"] == "https://help.example.com/"


def test_without_any_page_the_visitor_is_told_that_there_is_nothing_here() -> None:
    assert read("/", status=404).one("h1").text == "This page does not exist."


def test_a_page_that_is_named_status_is_not_called_status_status() -> None:
    make_page(name="Acme Status")
    assert read("/").one("title").text == "Acme Status"
