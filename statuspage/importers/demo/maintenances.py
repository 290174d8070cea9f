"""The demo's maintenances: those that took place, one that is announced, and a series. All through the actions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.actions.maintenances import maintenance_series as series_actions
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.models import Component, Incident, IncidentUpdate, Page
from incidents.models.states import Status
from statuspage.importers.demo.data import HERE, read_toml

OPTIONS = MaintenanceOptions(reminders=(1440, 60))
SUNDAY = 6


@dataclass(frozen=True)
class MaintenanceText:
    """Planned for `days_ago` or `in_days`, at `clock` UTC. A past one has what was said when it began and ended."""

    title: str
    author: str
    components: list[str]
    body: str
    clock: time
    minutes: int
    announced_days: int
    days_ago: int = 0
    in_days: int = 0
    said: dict[str, str] = field(default_factory=dict)

    def begins(self, now: datetime) -> datetime:
        day = now.astimezone(UTC).date() + timedelta(days=self.in_days - self.days_ago)
        return datetime.combine(day, self.clock, tzinfo=UTC)


@dataclass(frozen=True)
class SeriesText:
    """The first Sunday from `in_days` on is the first of the series; its `clock` is the page's."""

    title: str
    author: str
    components: list[str]
    body: str
    rule: str
    clock: time
    minutes: int
    in_days: int
    announced_days: int


@dataclass(frozen=True)
class Step:
    """One thing done, due at `at`: `scheduled` puts it on the page, the rest are its status words."""

    text: MaintenanceText | SeriesText
    verb: str
    at: datetime


def maintenances() -> list[MaintenanceText]:
    return [_maintenance(raw) for raw in read_toml(HERE / "maintenances.toml")["maintenance"]]


def series() -> list[SeriesText]:
    rows = read_toml(HERE / "maintenances.toml")["series"]
    return [SeriesText(**raw | {"clock": time.fromisoformat(raw["clock"])}) for raw in rows]


def steps(texts: Iterable[MaintenanceText | SeriesText], *, seed: int, now: datetime) -> list[Step]:
    """All that was done up to `now`, in no order."""
    return [step for text in texts for step in _steps(text, seed, now)]


class Replay:
    """Takes the steps in the order of time, at which they were taken on time, and tells nobody."""

    def __init__(self, page: Page, components: Mapping[str, Component], now: datetime) -> None:
        self.page, self.components, self.now = page, components, now
        self.taken: dict[str, Incident] = {}

    def take(self, step: Step) -> None:
        if isinstance(step.text, SeriesText):
            self._repeat(step.text, step.at)
        elif step.verb == "scheduled":
            self._schedule(step.text, step.at)
        else:
            self._go_on(step.text, step)

    def _schedule(self, text: MaintenanceText, at: datetime) -> None:
        begins = text.begins(self.now)
        self.taken[text.title] = actions.schedule(
            self.page,
            title=text.title,
            body=text.body,
            scheduled_for=begins,
            scheduled_until=begins + timedelta(minutes=text.minutes),
            components=[self.components[name] for name in text.components],
            options=OPTIONS,
            actor=demo_actor(text.author),
            notify=False,
            at=at,
        )

    def _go_on(self, text: MaintenanceText, step: Step) -> None:
        verbs: dict[str, Callable[..., IncidentUpdate]]
        verbs = {"started": actions.start, "verifying": incident_actions.post_update, "completed": actions.complete}
        body = text.said[step.verb]
        update = UpdateInput(body=body, status=Status.VERIFYING, notify=False, at=step.at)
        verbs[step.verb](self.taken[text.title], update, actor=demo_actor(text.author))

    def _repeat(self, text: SeriesText, at: datetime) -> None:
        day = self.now.astimezone(self.page.zone).date() + timedelta(days=text.in_days)
        day += timedelta(days=(SUNDAY - day.weekday()) % 7)
        series_actions.create_series(
            self.page,
            title=text.title,
            body=text.body,
            rule=text.rule,
            starts_at=datetime.combine(day, text.clock),
            duration=timedelta(minutes=text.minutes),
            components=[self.components[name] for name in text.components],
            options=OPTIONS,
            actor=demo_actor(text.author),
            notify=False,
            at=at,
        )


def demo_actor(name: str) -> Actor:
    """Somebody of the fictional company: no user of this install, and the audit log says so."""
    return Actor("system", "seed_demo", name)


def _maintenance(raw: dict[str, Any]) -> MaintenanceText:
    raw["clock"] = time.fromisoformat(raw["clock"])
    raw["said"] = {verb: raw.pop(verb) for verb in ("started", "verifying", "completed") if verb in raw}
    return MaintenanceText(**raw)


def _steps(text: MaintenanceText | SeriesText, seed: int, now: datetime) -> list[Step]:
    chance = random.Random(f"{seed} {text.title}")
    begins = text.begins(now) if isinstance(text, MaintenanceText) else now + timedelta(days=text.in_days)
    announced = begins - timedelta(days=text.announced_days, minutes=chance.randint(0, 600))
    found = [Step(text, "scheduled", announced)]
    if isinstance(text, MaintenanceText) and text.said:
        length = timedelta(minutes=text.minutes)
        found += [Step(text, "started", begins), Step(text, "completed", begins + length)]
        found += [Step(text, "verifying", begins + length * 0.8)] if "verifying" in text.said else []
    return found
