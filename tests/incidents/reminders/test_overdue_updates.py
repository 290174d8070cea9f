"""How long is too long without an update."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.incidents.attributes import edit_details
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, IncidentUpdate, Page
from incidents.models.states import Impact
from incidents.reminders.overdue_updates import MINUTES, OverdueUpdate, Reminders, overdue_update_of, times_due
from tests.factories import ALICE, make_component, make_incident, make_maintenance, make_page, make_resolved, post

RULES = Reminders(critical=15, major=30, minor=60, none=0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


@pytest.mark.parametrize(
    ("impact", "lasted", "times"),
    [
        (Impact.CRITICAL, 14.9, 0),
        (Impact.CRITICAL, 15, 1),
        (Impact.CRITICAL, 29.9, 1),
        (Impact.CRITICAL, 30, 2),
        (Impact.CRITICAL, 45, 3),
        (Impact.CRITICAL, 60 * 24 * 30, 3),
        (Impact.MAJOR, 29, 0),
        (Impact.MAJOR, 30, 1),
        (Impact.MINOR, 60, 1),
        (Impact.NONE, 60 * 24 * 30, 0),
        (Impact.MAINTENANCE, 60 * 24 * 30, 0),
        (Impact.CRITICAL, -5, 0),
    ],
)
def test_the_page_reminds_after_so_many_minutes_three_times_at_most(impact: str, lasted: float, times: int) -> None:
    assert max(0, times_due(minutes(lasted), impact, "", RULES)) == times


@pytest.mark.parametrize(
    ("intervals", "hours", "times"),
    [
        ("[]", 1000, 0),
        ("[1, 5, 7]", 0.9, 0),
        ("[1, 5, 7]", 1, 1),
        ("[1, 5, 7]", 6.9, 2),
        ("[1, 5, 7]", 1000, 3),
        ("4", 3.9, 0),
        ("4", 8, 2),
        ("4", 100, 25),
    ],
)
def test_what_the_incident_says_itself_wins_over_the_page(intervals: str, hours: float, times: int) -> None:
    assert times_due(minutes(60 * hours), Impact.CRITICAL, intervals, RULES) == times


@pytest.mark.parametrize(
    "intervals", ["soon", "0", "-1", '["a"]', "[0]", "{}", "true", "1.5", "9" * 99, f"[{'9' * 90}]"]
)
def test_intervals_that_nobody_understands_count_as_none_given(intervals: str) -> None:
    assert times_due(minutes(15), Impact.CRITICAL, intervals, RULES) == 1


@pytest.mark.parametrize("name", MINUTES)
@pytest.mark.parametrize("value", [-1, 1441, 1.5, "15", True, None])
def test_minutes_that_cannot_be_are_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Reminders.checked(**{name: value})
    assert list(refused.value.message_dict) == [name]


@pytest.mark.parametrize("stored", [{}, {"critical": "x"}, {"by_mail": 1}, {"unknown": 3}, [], None])
def test_what_was_never_set_or_cannot_be_read_has_its_default(stored: Any) -> None:
    assert Reminders.read(stored) == Reminders()


def test_what_was_set_is_read_again() -> None:
    reminders = Reminders(critical=5, none=240, still_red=0, by_mail=False)
    assert Reminders.read(reminders.as_json()) == reminders


# Incidents


@pytest.fixture
def page(db: None) -> Page:
    return make_page()


@pytest.fixture
def outage(page: Page) -> Incident:
    return make_incident(page, components={make_component(page): "major_outage"})


def silence(incident: Incident, after: float) -> OverdueUpdate | None:
    loaded = Incident.objects.with_details().get(pk=incident.pk)
    return overdue_update_of(loaded, now=timezone.now() + minutes(after), reminders=RULES)


def test_an_open_incident_is_silent_since_its_last_update(outage: Incident) -> None:
    IncidentUpdate.objects.update(created_at=timezone.now() - minutes(14))
    assert silence(outage, 0) is None
    overdue = silence(outage, 33)
    assert overdue
    assert (overdue.after, overdue.times) == (outage.updates.get(), 3)
    assert minutes(47) <= overdue.lasted < minutes(48)
    update = post(outage)
    assert silence(outage, 14) is None
    overdue = silence(outage, 16)
    assert overdue
    assert overdue.after == update


def test_what_is_backdated_is_said_now(page: Page) -> None:
    rest = make_component(page)
    late = make_incident(page, components={rest: "major_outage"}, at=timezone.now() - minutes(300))
    assert silence(late, 0) is None
    post(late, at=timezone.now() - minutes(200))
    assert silence(late, 14) is None
    assert silence(late, 16)


def test_a_correction_is_no_update(outage: Incident) -> None:
    update = outage.updates.get()
    IncidentUpdate.objects.update(created_at=timezone.now() - minutes(20))
    incident_lifecycle.edit_update(update, body="We are looking into it.", actor=ALICE)
    assert silence(outage, 0)


def test_a_worse_impact_makes_it_sooner(outage: Incident) -> None:
    edit_details(outage, impact_override="minor", actor=ALICE)
    assert silence(outage, 20) is None
    edit_details(outage, impact_override="critical", actor=ALICE)
    assert silence(outage, 20)


def test_nobody_waits_for_what_is_resolved_deleted_or_planned(page: Page, outage: Incident) -> None:
    assert silence(make_resolved(page, components={make_component(page): "major_outage"}), 1000) is None
    assert silence(make_maintenance(page), 100_000) is None
    incident_lifecycle.hide(outage, reason="A drill.", actor=ALICE)
    assert silence(outage, 1000) is None


def test_a_reopened_incident_is_silent_since_it_was_reopened(page: Page) -> None:
    again = make_resolved(page, components={make_component(page): "major_outage"})
    incident_lifecycle.reopen(again, UpdateInput(body="It is back."), actor=ALICE)
    assert silence(again, 14) is None
    assert silence(again, 15)
