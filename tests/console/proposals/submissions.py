"""One valid submission of every form of the console that changes what visitors read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from tests.console.proposals.world import World
from tests.console.staff import Fields, fill_in

CONSOLE = "/console/p/acme"


@dataclass(frozen=True)
class Submission:
    """`form`: the path of the page with the form. `target`: where it is sent, if not to the same path.

    In `typed`, API stands for the id of the component, and a function gets the world.
    """

    form: Callable[[World], str]
    typed: dict[str, Any] = field(default_factory=dict)
    target: Callable[[World], str] | None = None

    def filled(self, client: Client, world: World) -> tuple[str, Fields]:
        """The path and the fields to post, as they are now."""
        path = CONSOLE + self.form(world)
        typed = {
            name.replace("API", world.api.public_id): value(world) if callable(value) else value
            for name, value in self.typed.items()
        }
        action = CONSOLE + self.target(world) if self.target else ""
        return action or path, fill_in(client, path, action, **typed)

    def post(self, client: Client, world: World) -> Any:
        path, fields = self.filled(client, world)
        return client.post(path, fields)


def _day(days: int, time: str) -> str:
    return f"{timezone.now() + timedelta(days=days):%Y-%m-%d} {time}"


def _newest(world: World) -> str:
    return world.resolved.updates.newest_first()[0].public_id


def _open(world: World) -> str:
    return f"/incidents/{world.open.public_id}"


def _resolved(world: World) -> str:
    return f"/incidents/{world.resolved.public_id}"


def _upcoming(world: World) -> str:
    return f"/incidents/{world.upcoming.public_id}"


def _series(world: World) -> str:
    return f"/series/{world.series.public_id}"


def _maintenance(step: str, *, running: bool = False) -> Callable[[World], str]:
    return lambda world: f"/maintenances/{(world.running if running else world.upcoming).public_id}/{step}"


PLANNED = {"scheduled_for": _day(3, "02:00"), "scheduled_until": _day(3, "04:00"), "confirmed": "1"}

# By the name of the URL that receives them.
SUBMISSIONS: dict[str, Submission] = {
    "declare": Submission(lambda _: "/incidents/new", {"title": "New outage", "body": "New text."}),
    "backfill": Submission(
        lambda _: "/incidents/past",
        {
            "title": "Past outage",
            "update1-at": _day(-9, "10:00"),
            "update1-body": "It began.",
            "update2-at": _day(-9, "11:00"),
            "update2-body": "It ended.",
        },
    ),
    "correct_incident": Submission(lambda w: f"{_resolved(w)}/correct", {"title": "Better title"}),
    "merge_incident": Submission(
        lambda w: f"{_resolved(w)}/merge", {"into": lambda w: w.other.public_id, "reason": "The same."}
    ),
    "delete_incident": Submission(lambda w: f"{_resolved(w)}/delete", {"reason": "A mistake."}),
    "restore_incident": Submission(lambda w: f"/incidents/{w.hidden.public_id}/restore", {"reason": "A mistake."}),
    "correct_components": Submission(
        lambda w: f"/updates/{w.resolved.updates.oldest_first()[0].public_id}/components",
        {"reason": "Wrong.", "component_API": "partial_outage"},
    ),
    "component_history": Submission(
        lambda w: f"/components/{w.api.public_id}/history",
        {
            "status": "major_outage",
            "reason": "Forgotten.",
            "start": _day(-1, "00:10"),
            "end": _day(-1, "00:20"),
        },
    ),
    "post_update": Submission(_open, {"body": "More news."}, lambda w: f"{_open(w)}/update"),
    "resolve": Submission(_open, {}, lambda w: f"{_open(w)}/resolve"),
    "reopen": Submission(_resolved, {"body": "Again."}, lambda w: f"{_resolved(w)}/reopen"),
    "edit_update": Submission(lambda w: f"/updates/{_newest(w)}/edit", {"body": "Changed text."}),
    "follow_up": Submission(
        lambda w: f"{_resolved(w)}/follow-up", {"body": "Done."}, lambda w: f"{_resolved(w)}/follow-up"
    ),
    "schedule": Submission(lambda _: "/maintenances/new", {"title": "New work", "body": "We work.", **PLANNED}),
    "start_maintenance": Submission(_upcoming, {}, _maintenance("start")),
    "complete_maintenance": Submission(
        lambda w: f"/incidents/{w.running.public_id}", {}, _maintenance("complete", running=True)
    ),
    "reschedule": Submission(
        _upcoming,
        {f"reschedule-{name}": value for name, value in PLANNED.items()} | {"reschedule-body": "Later."},
        _maintenance("reschedule"),
    ),
    "maintenance_options": Submission(_upcoming, {"options-auto_start": None}, _maintenance("options")),
    "cancel_maintenance": Submission(_upcoming, {}, _maintenance("cancel")),
    "edit_series": Submission(lambda w: f"{_series(w)}/edit", {"title": "Other work", "confirmed": "1"}),
    "end_series": Submission(_series, {}, lambda w: f"{_series(w)}/end"),
    "new_component": Submission(lambda _: "/components/new", {"name": "New part"}),
    "edit_component": Submission(lambda w: f"/components/{w.api.public_id}", {"description": "New description."}),
    "archive_component": Submission(
        lambda w: f"/components/{w.api.public_id}", {}, lambda w: f"/components/{w.api.public_id}/archive"
    ),
    "new_group": Submission(lambda _: "/groups/new", {"name": "New group"}),
    "edit_group": Submission(lambda w: f"/groups/{w.group.public_id}", {"name": "Other name"}),
    "delete_group": Submission(
        lambda w: f"/groups/{w.group.public_id}", {}, lambda w: f"/groups/{w.group.public_id}/delete"
    ),
    "retract_postmortem": Submission(lambda w: f"{_resolved(w)}/postmortem/retract", {}),
}
