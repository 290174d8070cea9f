"""Maintenances one by one: schedule, move, start, end. A maintenance is an Incident of that kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from incidents.actor import Actor
from incidents.models import Component, Incident, IncidentUpdate, MaintenanceReminder, Page

Statuses = Mapping[Component, str]


@dataclass(frozen=True)
class MaintenanceOptions:
    """What happens by itself. `reminders`: minutes before the start, at most MAX_REMINDERS of them.

    `set_components`: operational ones are under maintenance from the start; `restore_components`: and operational
    again at the end, unless somebody else holds them. `notify_start`, `notify_end`: subscribers are told of these.
    """

    auto_start: bool = True
    auto_complete: bool = True
    set_components: bool = True
    restore_components: bool = True
    notify_start: bool = True
    notify_end: bool = True
    reminders: tuple[int, ...] = (60,)


@dataclass(frozen=True)
class Overlap:
    """Another maintenance, and which of the components asked about it names too."""

    maintenance: Incident
    components: list[Component]


def options_of(maintenance: Incident) -> MaintenanceOptions:
    """As they stand now. One query, for the reminders."""
    raise NotImplementedError


def overlaps(
    page: Page,
    components: Sequence[Component],
    start: datetime,
    end: datetime,
    *,
    other_than: Incident | None = None,
) -> list[Overlap]:
    """Upcoming and running maintenances of any of `components` between `start` and `end`: allowed, but worth a warning.

    Soonest first; three queries, however many there are.
    """
    raise NotImplementedError


def schedule(
    page: Page,
    *,
    title: str,
    body: str,
    scheduled_for: datetime,
    scheduled_until: datetime,
    actor: Actor,
    components: Sequence[Component] = (),
    options: MaintenanceOptions | None = None,
    notify: bool = True,
    at: datetime | None = None,
    submission_key: str = "",
) -> Incident:
    """Announce a maintenance. `options` None: the defaults. `notify`: tell subscribers now.

    `at` backdates the announcement: the window is then checked as of that time, and the dispatcher catches up with what
    should have happened since. The same `submission_key` again returns what the first submit made.

    ValidationError fields: title, body, scheduled_for, scheduled_until, components, reminders, at.
    """
    raise NotImplementedError


def reschedule(
    maintenance: Incident,
    *,
    scheduled_for: datetime,
    scheduled_until: datetime,
    actor: Actor,
    body: str = "",
    notify: bool = True,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Move it, or change its length. The update that this posts names old and new times, before `body` if there is one.

    Once it has begun, only its end can move (it is extended or shortened, and not into the past). Reminders not yet
    due move along; those already sent are sent again if their new time lies ahead.

    ValidationError fields: scheduled_for, scheduled_until, body, status (it is over).
    """
    raise NotImplementedError


def change_options(
    maintenance: Incident,
    *,
    options: MaintenanceOptions,
    actor: Actor,
    components: Sequence[Component] | None = None,
    expected_version: int | None = None,
) -> Incident:
    """Change its switches and reminders, and before it has begun the components that it names (None: leave them).

    Nobody is told. ValidationError fields: reminders, components, status (it is over).
    """
    raise NotImplementedError


def start(
    maintenance: Incident,
    *,
    actor: Actor,
    body: str = "",
    notify: bool | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Begin, early or on time. `body` empty: the standard sentence. `notify` None: as its options say.

    Its operational components are under maintenance from `at`, if its options say so; a worse status stays. Refused once
    its end has passed: move that first. ValidationError fields: status, body, at, scheduled_until.
    """
    raise NotImplementedError


def verify(
    maintenance: Incident,
    *,
    body: str,
    actor: Actor,
    components: Statuses | None = None,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """The work is done and being checked: `incidents.post_update` with that status."""
    raise NotImplementedError


def complete(
    maintenance: Incident,
    *,
    actor: Actor,
    body: str = "",
    restore: Statuses | None = None,
    notify: bool | None = None,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """End it. `restore` says what its components are now; None: as its options say, see `components_to_restore`.

    `body` empty: the standard sentence. `notify` None: as its options say. ValidationError fields: status, body, at.
    """
    raise NotImplementedError


def cancel(
    maintenance: Incident,
    *,
    actor: Actor,
    body: str = "",
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """Call it off, begun or not: completed, with `cancelled_at` and a note. The components that it had set are restored.

    ValidationError fields: status, body, at.
    """
    raise NotImplementedError


def components_to_restore(maintenance: Incident) -> dict[Component, str]:
    """Its components that are under maintenance and that nobody else holds: what turns operational at its end."""
    raise NotImplementedError


def remind(reminder: MaintenanceReminder, *, now: datetime) -> bool:
    """Tell subscribers that the maintenance is about to begin, once. False if it was skipped: it has begun already."""
    raise NotImplementedError
