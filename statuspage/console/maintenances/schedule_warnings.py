"""What is allowed but seldom meant: said once, and confirmed by pressing the button again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from django import forms
from django.utils import timezone

from incidents import recurrence
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

    def warn(self, found: Sequence[str]) -> bool:
        """Whether there is something that the author has not been shown yet. Shown once, it is confirmed."""
        seal = sha256("\n".join(found).encode()).hexdigest() if found else ""
        if self["confirmed"].value() == seal or not found:
            return False
        self.warnings = found
        fill_in(self, confirmed=seal)
        return True


def window_warnings(
    page: Page,
    components: Sequence[Component],
    windows: Sequence[Window],
    *,
    other_than: Incident | MaintenanceSeries | None = None,
) -> Iterator[str]:
    """Of one or several windows of the same length: odd lengths and times, and what else they overlap."""
    itself = other_than if isinstance(other_than, Incident) else None
    for start, end in windows[:1]:
        if end - start > LONG:
            yield f"It lasts {duration_text(end - start)}."
        if start > timezone.now() + FAR:
            yield f"It starts on {start.astimezone(page.zone):%b %d, %Y}, more than a year from now."
    for start, end in windows:
        for overlap in overlaps(page, components, start, end, other_than=itself):
            if isinstance(other_than, MaintenanceSeries) and overlap.maintenance.series_id == other_than.pk:
                continue
            when = window_text(*overlap.maintenance.window, page.zone)
            names = ", ".join(component.full_name for component in overlap.components)
            yield f"“{overlap.maintenance.title}” ({when}) is planned for the same time on {names}."


def repeat_warnings(
    page: Page, components: Sequence[Component], repeat: Repeat, *, other_than: MaintenanceSeries | None = None
) -> Iterator[str]:
    slots = repeat.slots(LOOKED_AHEAD)
    if slots and not other_than and slots[0].on != repeat.starts_at.date():
        yield f"By its rule the first one is on {slots[0].on:%A, %b %d, %Y}, not on {repeat.starts_at:%A, %b %d}."
    if recurrence.overlaps_itself(slots, repeat.duration):
        yield "One begins before the one before it has ended."
    yield from window_warnings(page, components, repeat.windows(), other_than=other_than)
