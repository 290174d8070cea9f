"""What is on record about an incident, read for its postmortem."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Incident
from incidents.models.findings import Findings
from incidents.postmortem.evidence import evidence_of, lines_of
from incidents.postmortem.summary import postmortem_summary_of
from tests.factories import ALICE, BOB, make_component, make_incident, make_page

pytestmark = pytest.mark.django_db

START = datetime(2022, 9, 21, 14, 0, tzinfo=UTC)


@pytest.fixture
def incident() -> Incident:
    """14:14 declared with the API red, 14:20 the site red by hand, 14:40 a fix, 15:02 resolved, everything green."""
    with time_machine.travel(START, tick=False) as clock:
        page = make_page()
        api, web = make_component(page, "API"), make_component(page, "Web")
        clock.move_to(START + timedelta(minutes=14))
        made = make_incident(page, body="It fails.\n\nMore.", components={api: "major_outage", web: "operational"})
        clock.move_to(START + timedelta(minutes=20))
        component_actions.set_status(web, "partial_outage", actor=BOB)
        clock.move_to(START + timedelta(minutes=40))
        actions.post_update(made, UpdateInput(status="monitoring", body="A fix is in."), actor=ALICE)
        clock.move_to(START + timedelta(minutes=62))
        actions.resolve(made, UpdateInput(body="Over."), restore=dict.fromkeys([api, web], "operational"), actor=ALICE)
    return Incident.objects.with_details().select_related("page").get()


def after(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def test_the_timeline_is_filled_from_updates_statuses_and_the_log(incident: Incident) -> None:
    lines = lines_of(evidence_of(incident))
    public = [(line.at, line.text) for line in lines if line.is_public]
    assert public == [
        (after(14), "Investigating: It fails. (API: Major Outage)"),
        (after(20), "Web: Partial Outage"),
        (after(40), "Monitoring: A fix is in."),
        (after(62), "Resolved: Over. (API: Operational, Web: Operational)"),
    ]
    private = [line.text for line in lines if not line.is_public]
    assert private == [
        "Alice declared the incident",
        "Bob set Web to Partial Outage",
        "Alice posted an update",
        "Alice resolved the incident",
    ]
    assert len({line.source for line in lines}) == len(lines)


def test_the_moments_follow_from_the_record(incident: Incident) -> None:
    moments = evidence_of(incident).facts.moments
    assert moments["began"] == after(14)
    assert moments["fixed"] == after(40)
    assert (moments["resolved"], moments["ended"]) == (after(62), after(62))
    assert moments["acknowledged"] is None, "counted from itself it would be no time at all"


def test_a_stated_start_makes_the_first_update_the_acknowledgement(incident: Incident) -> None:
    incident.impact_started_at = after(5)
    moments = evidence_of(incident).facts.moments
    assert (moments["began"], moments["acknowledged"]) == (after(5), after(14))


def test_each_component_has_its_own_time(incident: Incident) -> None:
    component_impacts = postmortem_summary_of(Findings(), evidence_of(incident).facts).component_impacts
    assert {impact.name: impact.lasted for impact in component_impacts} == {
        "API": timedelta(minutes=48),
        "Web": timedelta(minutes=42),
    }


def test_what_a_component_suffered_before_and_after_is_not_this_incidents(incident: Incident) -> None:
    api = Component.objects.get(name="API")
    component_actions.set_status(api, "degraded_performance", actor=BOB)
    record = evidence_of(Incident.objects.with_details().get()).facts
    api_impact = postmortem_summary_of(Findings(), record).component_impacts[0]
    assert api_impact.lasted == timedelta(minutes=48)


def test_a_line_about_two_hundred_components_can_be_saved_as_it_is() -> None:
    page = make_page()
    components = {make_component(page, f"Server {n}"): "major_outage" for n in range(200)}
    make_incident(page, body="It fails. " * 200, components=components)
    incident = Incident.objects.with_details().select_related("page").get()
    lines = lines_of(evidence_of(incident))
    postmortem_lifecycle.save_draft(incident, body="Why.", actor=ALICE, findings=Findings(timeline=tuple(lines)))
    assert lines[0].text.endswith("…")


def test_an_open_incident_has_an_account_too() -> None:
    page = make_page()
    make_incident(page, components={make_component(page): "major_outage"})
    evidence = evidence_of(Incident.objects.with_details().get())
    assert evidence.facts.moments["ended"] is None
    assert lines_of(evidence)


def test_it_costs_one_query_and_the_lines_another(
    incident: Incident, django_assert_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_num_queries(2):
        lines_of(evidence_of(incident))


def test_what_updates_say_in_markdown_stands_in_the_timeline_as_plain_words() -> None:
    body = "Since @14:14 **one in five**\nfails: [more](https://example.org), `A & B`.\n\nMore."
    made = Incident.objects.with_details().select_related("page").get(pk=make_incident(make_page(), body=body).pk)
    (line,) = (line.text for line in lines_of(evidence_of(made)) if line.is_public)
    assert line == "Investigating: Since 14:14 UTC one in five fails: more, A & B."
