"""Warnings about unusual schedules. The author confirms them by submitting the form again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django import forms

from incidents import clock, recurrence
from incidents.actions.maintenances.maintenance_lifecycle import overlaps
from incidents.models import Component, Incident, MaintenanceSeries, Page
from incidents.text.wording import duration_text, window_text
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import fill_in
from statuspage.console.maintenances.recurrence_fields import Repeat

LONG, FAR = timedelta(hours=24), timedelta(days=366)
LOOKED_AHEAD = 10

Window = tuple[datetime, datetime]


class WithWarnings(ActionForm):
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)

    def warn(self, warnings: Sequence[str]) -> bool:
        """Show `warnings`. Return False if there are none, or if the author confirmed these warnings."""
        digest = sha256("\n".join(warnings).encode()).hexdigest() if warnings else ""
        if self["confirmed"].value() == digest or not warnings:
            return False
        self.warnings = warnings
        fill_in(self, confirmed=digest)
        return True


def window_warnings(
    page: Page,
    components: Sequence[Component],
    windows: Sequence[Window],
    *,
    other_than: Incident | MaintenanceSeries | None = None,
) -> Iterator[str]:
    """Yield warnings about unusual durations and times, and about overlaps with other maintenance."""
    itself = other_than if isinstance(other_than, Incident) else None
    for start, end in windows[:1]:
        if end - start > LONG:
            yield f"The maintenance takes {duration_text(end - start)}."
        if start > clock.now() + FAR:
            yield f"The maintenance starts on {start.astimezone(page.zone):%b %d, %Y}, more than a year from now."
    for start, end in windows:
        for overlap in overlaps(page, components, start, end, other_than=itself):
            if isinstance(other_than, MaintenanceSeries) and overlap.maintenance.series_id == other_than.pk:
                continue
            when = window_text(*overlap.maintenance.window, page.zone)
            names = ", ".join(component.full_name for component in overlap.components)
            yield f"“{overlap.maintenance.title}” ({when}) is scheduled for the same time on {names}."


def repeat_warnings(
    page: Page, components: Sequence[Component], repeat: Repeat, *, other_than: MaintenanceSeries | None = None
) -> Iterator[str]:
    slots = repeat.slots(LOOKED_AHEAD)
    if slots and not other_than and slots[0].on != repeat.starts_at.date():
        yield f"The first date of this rule is {slots[0].on:%A, %b %d, %Y}, not {repeat.starts_at:%A, %b %d}."
    if recurrence.overlaps_itself(slots, repeat.duration):
        yield "Occurrences overlap: one starts before the previous one ends."
    yield from window_warnings(page, components, repeat.windows(), other_than=other_than)
