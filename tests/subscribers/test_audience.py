"""Who is told of what: every scope, kind of news and detail against every kind of event, through the real fan-out."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, ComponentGroup, Event, EventKind, Incident, Page
from incidents.models.states import Kind
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.event_audience import event_scope_of, event_scope_of_draft
from statuspage.subscribers.preferences import KINDS, Preferences, inherit_preferences, set_preferences
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_incident,
    make_page,
    make_subscriber,
    make_subscriber_with,
    post,
)


@dataclass
class Stage:
    """A page with the group APIs (REST, Search) and the loose component Website."""

    page: Page
    apis: ComponentGroup
    rest: Component
    search: Component
    website: Component


@pytest.fixture
def stage(page: Page) -> Stage:
    apis = make_group(page, "APIs")
    rest, search = make_component(page, "REST", group=apis), make_component(page, "Search", group=apis)
    return Stage(page, apis, rest, search, make_component(page, "Website"))


def receives(event: Event | None) -> set[str]:
    """The names before the @ of those whom the fan-out wrote a delivery for."""
    fan_out_waiting()
    statements = Delivery.objects.filter(event=event).values_list("subscriber__email", flat=True)
    return {email.partition("@")[0] for email in statements}


def last_event(incident: Incident) -> Event:
    event = incident.events.order_by("pk").last()
    assert event is not None
    return event


# What each scope hears of an incident that names REST alone, Search alone, Website alone, or nothing.
HEARS = {
    "page": {"rest", "search", "website", "nothing"},
    "group": {"rest", "search"},
    "component": {"rest"},
    "incident": {"rest", "search", "website", "nothing"},
    "other": set[str](),
}
HAPPENINGS = {
    "opened": ("incidents", True),
    "updated": ("incidents", False),
    "resolved": ("incidents", True),
    "reopened": ("incidents", True),
    "postmortem": ("postmortems", True),
}


def scopes(stage: Stage, incident: Incident, elsewhere: Incident) -> dict[str, dict[str, Any]]:
    return {
        "page": {},
        "group": {"groups": (stage.apis,)},
        "component": {"components": (stage.rest,)},
        "incident": {"incidents": (incident,)},
        "other": {"incidents": (elsewhere,)},
    }


def happen(incident: Incident, what: str) -> Event:
    """Make it happen to `incident`, which is as it was opened; earlier steps tell nobody."""
    if what == "updated":
        post(incident)
    if what in ("resolved", "reopened", "postmortem"):
        loud = what == "resolved"
        incident_actions.resolve(incident, UpdateInput(body="Done.", notify=loud), restore=None, actor=ALICE)
    if what == "reopened":
        incident_actions.reopen(incident, UpdateInput(body="Not done."), actor=ALICE)
    if what == "postmortem":
        postmortem_lifecycle.publish(incident, body="What we learned.", actor=ALICE)
    return last_event(incident)


@pytest.mark.parametrize("named", ["rest", "search", "website", "nothing"])
@pytest.mark.parametrize("what", HAPPENINGS)
def test_the_truth_table_of_scope_kind_and_detail(stage: Stage, what: str, named: str) -> None:
    part = getattr(stage, named, None)
    elsewhere = make_incident(stage.page, notify=False)
    incident = make_incident(stage.page, notify=what == "opened", components={part: "major_outage"} if part else {})
    kind, is_milestone = HAPPENINGS[what]
    expected = set()
    for (scope, chosen), wanted, detail in product(
        scopes(stage, incident, elsewhere).items(), [*KINDS, "all"], ["all", "milestones"]
    ):
        name = f"{scope}-{wanted}-{detail}"
        kinds = {f"tells_{subscribed_kind}": wanted in (subscribed_kind, "all") for subscribed_kind in KINDS}
        subscriber = make_subscriber_with(stage.page, f"{name}@example.com", detail=detail, **kinds, **chosen)
        Subscriber.objects.filter(pk=subscriber.pk).update(confirmed_at=incident.created_at)
        if named in HEARS[scope] and wanted in (kind, "all") and (detail == "all" or is_milestone):
            expected.add(name)
    assert receives(happen(incident, what)) == expected
    assert expected


@pytest.mark.parametrize("kind", [EventKind.INCIDENT_OPENED, EventKind.INCIDENT_UPDATED, EventKind.INCIDENT_RESOLVED])
def test_maintenance_notifications_go_to_subscribers_of_maintenances(stage: Stage, kind: EventKind) -> None:
    make_subscriber_with(stage.page, "yes@example.com", tells_incidents=False)
    make_subscriber_with(stage.page, "no@example.com", tells_maintenances=False)
    incident = make_incident(stage.page)
    window = {"scheduled_for": incident.started_at, "scheduled_until": incident.started_at + timedelta(hours=1)}
    Incident.objects.filter(pk=incident.pk).update(kind=Kind.MAINTENANCE, **window)
    Event.objects.update(kind=kind)
    assert receives(incident.events.get()) == {"yes"}


def test_a_component_added_to_a_group_later_is_part_of_what_was_chosen(stage: Stage) -> None:
    make_subscriber_with(stage.page, "group@example.com", groups=(stage.apis,))
    later = make_component(stage.page, "GraphQL", group=stage.apis)
    assert receives(make_incident(stage.page, components={later: "major_outage"}).events.get()) == {"group"}


def test_a_component_that_left_the_group_is_not(stage: Stage) -> None:
    make_subscriber_with(stage.page, "group@example.com", groups=(stage.apis,))
    component_actions.edit_component(stage.rest, name="REST", group=None, actor=ALICE)
    assert receives(make_incident(stage.page, components={stage.rest: "major_outage"}).events.get()) == set()


def test_who_chose_a_part_is_told_from_when_it_is_named_and_of_all_that_follows(stage: Stage) -> None:
    make_subscriber_with(stage.page, "web@example.com", components=(stage.website,))
    make_subscriber_with(stage.page, "rest@example.com", components=(stage.rest,))
    incident = make_incident(stage.page, components={stage.rest: "major_outage"})
    assert receives(last_event(incident)) == {"rest"}
    post(incident, components={stage.website: "partial_outage"})
    assert receives(last_event(incident)) == {"rest", "web"}
    post(incident)
    assert receives(last_event(incident)) == {"rest", "web"}


def test_an_update_written_later_does_not_widen_who_is_told_of_an_earlier_one(stage: Stage) -> None:
    make_subscriber_with(stage.page, "web@example.com", components=(stage.website,))
    incident = make_incident(stage.page)
    post(incident, components={stage.website: "partial_outage"})
    assert receives(incident.events.order_by("pk")[0]) == set()


def test_for_whoever_wants_beginnings_the_update_that_names_their_part_first_is_one(stage: Stage) -> None:
    make_subscriber_with(stage.page, "web@example.com", components=(stage.website,), detail="milestones")
    make_subscriber_with(stage.page, "rest@example.com", components=(stage.rest,), detail="milestones")
    make_subscriber_with(stage.page, "apis@example.com", groups=(stage.apis,), detail="milestones")
    make_subscriber_with(stage.page, "all@example.com", detail="milestones")
    incident = make_incident(stage.page, components={stage.rest: "major_outage"})
    post(incident, components={stage.website: "partial_outage", stage.search: "partial_outage"})
    assert receives(last_event(incident)) == {"web"}
    post(incident, components={stage.website: "major_outage"})
    assert receives(last_event(incident)) == set()


def test_a_silent_component_counts_as_named_all_the_same(stage: Stage) -> None:
    make_subscriber_with(stage.page, "rest@example.com", components=(stage.rest,))
    incident = make_incident(stage.page, notify=False, components={stage.rest: "major_outage"})
    post(incident)
    assert receives(last_event(incident)) == {"rest"}


def test_one_incident_and_a_part_can_be_chosen_together(stage: Stage) -> None:
    first = make_incident(stage.page, notify=False)
    make_subscriber_with(stage.page, "both@example.com", components=(stage.rest,), incidents=(first,))
    post(first)
    assert receives(last_event(first)) == {"both"}
    assert receives(make_incident(stage.page, components={stage.rest: "major_outage"}).events.get()) == {"both"}
    assert receives(make_incident(stage.page).events.get()) == set()


def test_the_same_choice_elsewhere_is_another_page_s_matter(stage: Stage) -> None:
    other = make_page(name="Other")
    make_subscriber_with(other, "stranger@example.com", groups=(stage.apis,))
    assert receives(make_incident(stage.page, components={stage.rest: "major_outage"}).events.get()) == set()


def test_before_a_group_is_deleted_its_followers_get_its_components(stage: Stage) -> None:
    make_subscriber_with(stage.page, "group@example.com", groups=(stage.apis,), components=(stage.rest,))
    make_subscriber_with(stage.page, "web@example.com", components=(stage.website,))
    assert inherit_preferences(stage.apis) == 1
    component_actions.delete_group(stage.apis, actor=ALICE)
    assert receives(make_incident(stage.page, components={stage.search: "major_outage"}).events.get()) == {"group"}


def test_a_new_choice_replaces_the_previous_one(stage: Stage) -> None:
    subscriber = make_subscriber_with(stage.page, "reader@example.com", components=(stage.rest,))
    set_preferences(subscriber, Preferences(whole_page=False, components=(stage.website,)))
    assert receives(make_incident(stage.page, components={stage.rest: "major_outage"}).events.get()) == set()
    set_preferences(subscriber, Preferences())
    assert not subscriber.interests.exists()
    assert receives(make_incident(stage.page).events.get()) == {"reader"}


def test_the_count_before_publishing_is_who_is_told_after(stage: Stage) -> None:
    make_subscriber_with(stage.page, "all@example.com")
    make_subscriber_with(stage.page, "rest@example.com", components=(stage.rest,))
    make_subscriber_with(stage.page, "web@example.com", components=(stage.website,), detail="milestones")
    make_subscriber_with(stage.page, "none@example.com", tells_incidents=False)

    def counted(incident: Incident | None, kind: EventKind, *named: Component) -> int:
        concern = event_scope_of_draft(incident, kind, named)
        return Subscriber.objects.audience(stage.page).matching(concern).count()

    assert counted(None, EventKind.INCIDENT_OPENED) == 1
    assert counted(None, EventKind.INCIDENT_OPENED, stage.rest) == 2
    incident = make_incident(stage.page, components={stage.rest: "major_outage"})
    assert len(receives(last_event(incident))) == 2
    assert counted(incident, EventKind.INCIDENT_UPDATED) == 2
    assert counted(incident, EventKind.INCIDENT_UPDATED, stage.website) == 3
    post(incident, components={stage.website: "partial_outage"})
    assert len(receives(last_event(incident))) == 3


def test_a_components_own_event_concerns_those_who_chose_it(stage: Stage) -> None:
    make_subscriber_with(stage.page, "rest@example.com", components=(stage.rest,))
    make_subscriber_with(stage.page, "web@example.com", components=(stage.website,))
    component_actions.set_status(stage.rest, "major_outage", actor=ALICE)
    event = Event.objects.filter(kind=EventKind.COMPONENT_STATUS).get()
    concerned = Subscriber.objects.audience(stage.page).matching(event_scope_of(event))
    assert [subscriber.email for subscriber in concerned] == ["rest@example.com"]


def test_a_fan_out_is_one_insert_however_many_subscribers_and_parts(stage: Stage) -> None:
    def inserts() -> list[str]:
        incident = make_incident(stage.page, components={stage.rest: "major_outage", stage.website: "major_outage"})
        with CaptureQueriesContext(connection) as queries:
            fan_out_waiting()
        assert Delivery.objects.filter(incident=incident).exists()
        statements = [query["sql"] for query in queries]
        assert sum("INSERT" in sql for sql in statements) == 1
        return statements

    make_subscriber_with(stage.page, components=(stage.rest,))
    few = len(inserts())
    for _ in range(50):
        make_subscriber(stage.page)
        make_subscriber_with(stage.page, components=(stage.rest,), groups=(stage.apis,))
    assert len(inserts()) == few


def test_an_incident_without_components_is_told_to_the_whole_page_alone(stage: Stage) -> None:
    make_subscriber_with(stage.page, "all@example.com")
    make_subscriber_with(stage.page, "rest@example.com", components=(stage.rest,))
    make_subscriber_with(stage.page, "apis@example.com", groups=(stage.apis,))
    assert receives(make_incident(stage.page).events.get()) == {"all"}
