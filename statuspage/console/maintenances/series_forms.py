"""Forms to edit and end a maintenance series."""

from typing import Any

from django import forms

from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.models import MaintenanceSeries
from incidents.text.wording import duration_text
from statuspage.console.fields import VersionField
from statuspage.console.incidents.forms import MessageForm
from statuspage.console.maintenances.forms import ScheduleForm
from statuspage.console.maintenances.option_fields import initial_options
from statuspage.console.maintenances.recurrence_fields import CUSTOM, REPEATS, Repeat, rule_of


class SeriesForm(ScheduleForm):
    """Edit all future occurrences of a series."""

    def __init__(self, data: Any = None, *, series: MaintenanceSeries, **more: Any) -> None:
        self.series = series
        super().__init__(data, page=series.page, zone=series.zone, initial=_initial(series), **more)
        del self.fields["submission_key"]
        self.fields["version"] = VersionField()
        self.fields["repeat"].choices = REPEATS[1:]  # type: ignore[attr-defined]
        self.fields["scheduled_for"].label = "First start"
        self.fields["scheduled_until"].label = "Duration"
        self.fields["title"].widget.attrs["autofocus"] = False


class EndSeriesForm(MessageForm):
    cancel_upcoming = forms.BooleanField(label="Cancel the scheduled occurrences", required=False)
    checked = {}

    def __init__(self, data: Any = None, *, series: MaintenanceSeries, **more: Any) -> None:
        initial = {"cancel_upcoming": True, "notify": True, "version": series.version}
        super().__init__(data, page=series.page, initial=initial, auto_id="end_%s", **more)
        for name in ("at", "submission_key"):
            del self.fields[name]
        self.fields["body"].label = "Note"
        self.fields["body"].help_text = "Reason for the cancellation. Leave empty to use the default text."


def repeat_of(series: MaintenanceSeries) -> Repeat:
    """Return the current recurrence of the series."""
    return Repeat(series.rule, series.starts_at, series.duration, series.zone)


def _initial(series: MaintenanceSeries) -> dict[str, Any]:
    simple = next(
        (key for key, _ in REPEATS[1:] if key != CUSTOM and rule_of(key, series.starts_at) == series.rule), CUSTOM
    )
    return {
        "title": series.title,
        "body": series.body,
        "scheduled_for": f"{series.starts_at:%Y-%m-%d %H:%M}",
        "scheduled_until": duration_text(series.duration),
        "repeat": simple,
        "rule": series.rule if simple == CUSTOM else "",
        "components": [component.public_id for component in series.components.all()],
        "notify": False,
        "version": series.version,
        **initial_options(MaintenanceOptions.of(series, series.reminders)),
    }
