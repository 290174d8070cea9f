"""Create a maintenance from validated input, for `schedule` and for maintenance series."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actions._updates import add_update, update_details
from incidents.actions.maintenances._affected import name_components
from incidents.actions.maintenances.maintenance_reminders import set_reminders
from incidents.actor import Actor
from incidents.models import Component, EventKind, Incident, Page
from incidents.models.maintenances import SWITCHES, Switches
from incidents.models.states import Impact, Kind, Status


@dataclass(frozen=True)
class MaintenanceOptions:
    """What happens by itself. `reminders`: minutes before the start, at most five of them.

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

    @classmethod
    def of(cls, switches: Switches, reminders: Iterable[int]) -> "MaintenanceOptions":
        """As a maintenance or a series has them."""
        return cls(**{name: getattr(switches, name) for name in SWITCHES}, reminders=tuple(reminders))

    @property
    def switches(self) -> dict[str, bool]:
        return {name: getattr(self, name) for name in SWITCHES}

    @property
    def details(self) -> dict[str, Any]:
        """As the audit log and proposals show them."""
        return {**self.switches, "reminders": [f"{minutes} min before" for minutes in self.reminders]}


def create_maintenance(
    page: Page,
    *,
    title: str,
    text: tuple[str, str],
    window: tuple[datetime, datetime],
    components: Sequence[Component],
    options: MaintenanceOptions,
    actor: Actor,
    notify: bool,
    at: datetime,
    **more: Any,
) -> Incident:
    """Write a maintenance with its first update, reminders and event, from what was checked before.

    `more` are further fields. The caller has the transaction.
    """
    maintenance = Incident.objects.create(
        page=page,
        kind=Kind.MAINTENANCE,
        impact=Impact.MAINTENANCE,
        title=title,
        status=Status.SCHEDULED,
        started_at=at,
        last_update_at=at,
        scheduled_for=window[0],
        scheduled_until=window[1],
        **options.switches,
        **more,
    )
    update = add_update(maintenance, status=Status.SCHEDULED, text=text, components=None, notify=notify, at=at)
    name_components(update, components)
    set_reminders(maintenance, checks.reminders(options.reminders))
    times = {"from": window[0].isoformat(), "until": window[1].isoformat()}
    record(
        page,
        EventKind.MAINTENANCE_SCHEDULED,
        maintenance,
        actor=actor,
        notify=notify,
        details=update_details(update, title=title, **times, **options.details),
        incident=maintenance,
        update=update,
    )
    return maintenance
