"""Write the maintenances of the demo with the actions of the domain: past ones, a scheduled one, and a series."""

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
    """Scheduled for `days_ago` or `in_days`, at `clock` UTC. A past one has `bodies`: the texts of its updates."""

    title: str
    author: str
    components: list[str]
    body: str
    clock: time
    minutes: int
    announced_days: int
    days_ago: int = 0
    in_days: int = 0
    bodies: dict[str, str] = field(default_factory=dict)

    def starts_at(self, now: datetime) -> datetime:
        day = now.astimezone(UTC).date() + timedelta(days=self.in_days - self.days_ago)
        return datetime.combine(day, self.clock, tzinfo=UTC)


@dataclass(frozen=True)
class SeriesText:
    """A series that starts on the first Sunday from `in_days` on. `clock` is in the time zone of the page."""

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
class DemoStep:
    """An action, due at `at`. `verb` is `scheduled` or a status of the maintenance."""

    text: MaintenanceText | SeriesText
    verb: str
    at: datetime


def maintenances() -> list[MaintenanceText]:
    return [_maintenance(raw) for raw in read_toml(HERE / "maintenances.toml")["maintenance"]]


def series() -> list[SeriesText]:
    rows = read_toml(HERE / "maintenances.toml")["series"]
    return [SeriesText(**raw | {"clock": time.fromisoformat(raw["clock"])}) for raw in rows]


def steps(texts: Iterable[MaintenanceText | SeriesText], *, seed: int, now: datetime) -> list[DemoStep]:
    """Return all steps up to `now`, in no particular order."""
    return [step for text in texts for step in _steps(text, seed, now)]


class Replay:
    """Applies the steps at the time at which they are due, without notifications."""

    def __init__(self, page: Page, components: Mapping[str, Component], now: datetime) -> None:
        self.page, self.components, self.now = page, components, now
        self.maintenances: dict[str, Incident] = {}

    def apply(self, step: DemoStep) -> None:
        if isinstance(step.text, SeriesText):
            self._create_series(step.text, step.at)
        elif step.verb == "scheduled":
            self._schedule(step.text, step.at)
        else:
            self._post_update(step.text, step)

    def _schedule(self, text: MaintenanceText, at: datetime) -> None:
        starts_at = text.starts_at(self.now)
        self.maintenances[text.title] = actions.schedule(
            self.page,
            title=text.title,
            body=text.body,
            scheduled_for=starts_at,
            scheduled_until=starts_at + timedelta(minutes=text.minutes),
            components=[self.components[name] for name in text.components],
            options=OPTIONS,
            actor=demo_actor(text.author),
            notify=False,
            at=at,
        )

    def _post_update(self, text: MaintenanceText, step: DemoStep) -> None:
        posts: dict[str, Callable[..., IncidentUpdate]]
        posts = {"started": actions.start, "verifying": incident_actions.post_update, "completed": actions.complete}
        update = UpdateInput(body=text.bodies[step.verb], status=Status.VERIFYING, notify=False, at=step.at)
        posts[step.verb](self.maintenances[text.title], update, actor=demo_actor(text.author))

    def _create_series(self, text: SeriesText, at: datetime) -> None:
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
    """Return a person of the fictional company, who is not a user of this installation."""
    return Actor("system", "seed_demo", name)


def _maintenance(raw: dict[str, Any]) -> MaintenanceText:
    raw["clock"] = time.fromisoformat(raw["clock"])
    raw["bodies"] = {verb: raw.pop(verb) for verb in ("started", "verifying", "completed") if verb in raw}
    return MaintenanceText(**raw)


def _steps(text: MaintenanceText | SeriesText, seed: int, now: datetime) -> list[DemoStep]:
    rng = random.Random(f"{seed} {text.title}")
    starts_at = text.starts_at(now) if isinstance(text, MaintenanceText) else now + timedelta(days=text.in_days)
    announced_at = starts_at - timedelta(days=text.announced_days, minutes=rng.randint(0, 600))
    steps = [DemoStep(text, "scheduled", announced_at)]
    if isinstance(text, MaintenanceText) and text.bodies:
        length = timedelta(minutes=text.minutes)
        steps += [DemoStep(text, "started", starts_at), DemoStep(text, "completed", starts_at + length)]
        steps += [DemoStep(text, "verifying", starts_at + length * 0.8)] if "verifying" in text.bodies else []
    return steps
