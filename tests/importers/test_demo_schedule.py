from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from incidents.models.states import ComponentStatus, Impact, Status
from statuspage.importers.demo import data
from statuspage.importers.demo.schedule import DemoPublication, Post, dated
from statuspage.importers.demo.schedule import steps as demo_steps

INCIDENTS = data.incidents()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_texts_name_clock_times_and_days_relative_to_the_start() -> None:
    start = datetime(2026, 3, 1, 23, 50, tzinfo=UTC)
    text = "From {-20} to {+15} UTC on {date+15}; `GET /v2/shipments/{id}` stays."
    assert dated(text, start) == "From 23:30 to 00:05 UTC on 2 March; `GET /v2/shipments/{id}` stays."


@pytest.mark.parametrize("clock", ["00:00:01", "00:40:00", "12:00:00", "23:59:59"])
@pytest.mark.parametrize("seed", range(5))
def test_nothing_lies_in_the_future_whatever_the_hour(clock: str, seed: int) -> None:
    now = datetime.fromisoformat(f"2026-03-01T{clock}+00:00")
    steps = demo_steps(INCIDENTS, seed=seed, now=now)
    assert max(step.at for step in steps) <= now
    assert min(step.at for step in steps) > now - timedelta(days=731)
    assert all(step.edited_at <= now for step in steps if isinstance(step, Post))
    done = [
        step.done_at(item)
        for step in steps
        if isinstance(step, DemoPublication)
        for item in step.postmortem.action_items
    ]
    assert all(moment is None or moment <= now for moment in done)


def test_the_same_seed_gives_the_same_times_and_another_seed_others() -> None:
    first, again, other = (demo_steps(INCIDENTS, seed=seed, now=NOON) for seed in (1, 1, 2))
    assert first == again
    assert [step.at for step in first] != [step.at for step in other]


def test_the_steps_of_each_incident_keep_their_order() -> None:
    for seed in range(5):
        steps = [step for step in demo_steps(INCIDENTS, seed=seed, now=NOON) if isinstance(step, Post)]
        for incident in INCIDENTS:
            assert [step.update for step in steps if step.incident is incident] == incident.updates
        assert all(step.edited_at >= step.at for step in steps if step.update.original_body)


def test_no_two_incidents_hold_the_same_component_at_once() -> None:
    """Or resolving the one would turn green what the other still has red."""
    for seed in range(5):
        held: dict[str, str] = {}
        for step in demo_steps(INCIDENTS, seed=seed, now=NOON):
            if isinstance(step, DemoPublication):
                continue
            title = step.incident.title
            for name, status in step.update.components.items():
                assert held.get(name, title) == title
                held[name] = title
                if status == ComponentStatus.OPERATIONAL:
                    del held[name]
            if step.update.status == Status.RESOLVED:
                held = {name: holder for name, holder in held.items() if holder != title}


def test_every_incident_is_complete_and_uses_known_words() -> None:
    text = data.page()
    known = {component.name for group in text.groups for component in group.components}
    known |= {component.name for component in text.loose}
    for incident in INCIDENTS:
        first, last = incident.updates[0], incident.updates[-1]
        assert first.after == 0
        assert all(earlier.after < later.after for earlier, later in pairwise(incident.updates))
        assert (last.status == Status.RESOLVED) == (incident.minutes_ago == 0), incident.title
        assert incident.impact is None or incident.impact in Impact.values
        for update in incident.updates:
            assert set(update.components) <= known, incident.title
            assert set(update.components.values()) <= set(ComponentStatus.values), incident.title


def test_a_change_of_status_never_repeats_what_the_component_already_had() -> None:
    for incident in INCIDENTS:
        now: dict[str, str] = {}
        for update in incident.updates:
            for name, status in update.components.items():
                assert now.get(name, ComponentStatus.OPERATIONAL) != status, (incident.title, name)
            now |= update.components
            if update.status == Status.RESOLVED:
                now.clear()
