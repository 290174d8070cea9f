"""Maintenances that repeat. The next OCCURRENCES_AHEAD are on the page, each a maintenance of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from incidents.actions.maintenances import MaintenanceOptions
from incidents.actor import Actor
from incidents.models import Component, Incident, MaintenanceSeries, Page

OCCURRENCES_AHEAD = 3


def create_series(
    page: Page,
    *,
    title: str,
    body: str,
    rule: str,
    starts_at: datetime,
    duration: timedelta,
    actor: Actor,
    components: Sequence[Component] = (),
    options: MaintenanceOptions | None = None,
    notify: bool = True,
    submission_key: str = "",
) -> MaintenanceSeries:
    """A maintenance that repeats by `rule` (RFC 5545 RRULE) from `starts_at`: naive, the wall clock of the page's zone.

    Its next occurrences are put on the page at once. `notify` tells subscribers of the first one; of later ones they
    hear by their reminders and their start.

    ValidationError fields: title, body, rule, starts_at, duration, components, reminders.
    """
    raise NotImplementedError


def edit_series(
    series: MaintenanceSeries,
    *,
    title: str,
    body: str,
    rule: str,
    starts_at: datetime,
    duration: timedelta,
    actor: Actor,
    components: Sequence[Component] = (),
    options: MaintenanceOptions | None = None,
    notify: bool = False,
    expected_version: int | None = None,
) -> MaintenanceSeries:
    """Change it from now on. Upcoming occurrences follow, except those that were moved, cancelled or begun alone.

    One whose day the new rule leaves out is cancelled. `notify`: subscribers are told of each that moves or goes.
    """
    raise NotImplementedError


def end_series(
    series: MaintenanceSeries,
    *,
    actor: Actor,
    cancel_upcoming: bool = True,
    body: str = "",
    notify: bool = True,
    expected_version: int | None = None,
) -> MaintenanceSeries:
    """No more occurrences. Those already on the page are cancelled with the note `body`, or stay."""
    raise NotImplementedError


def materialise(series: MaintenanceSeries, now: datetime) -> list[Incident]:
    """Put on the page what is missing of its next OCCURRENCES_AHEAD after `now`. Twice, or by two at once, is harmless.

    A day that has its occurrence, wherever that was moved and even if it was cancelled, gets no second one.
    """
    raise NotImplementedError
