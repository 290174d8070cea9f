"""Options of a maintenance: automatic steps, notifications and reminders."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.models.maintenances import SWITCHES

USUAL_REMINDERS = {15: "15 minutes", 60: "1 hour", 1440: "1 day"}


class MinutesField(forms.CharField):
    """Whole numbers, separated by commas or spaces. Returns a list."""

    def clean(self, value: Any) -> Any:
        numbers = [number for number in re.split(r"[\s,;]+", super().clean(value)) if number]
        if not all(re.fullmatch("[0-9]{1,6}", number) for number in numbers):
            raise ValidationError("Enter minutes as whole numbers. Example: 30, 120.")
        return [int(number) for number in numbers]


class WithOptions(forms.Form):
    auto_start = forms.BooleanField(label="Start automatically at the start time", required=False)
    auto_complete = forms.BooleanField(label="Complete automatically at the end time", required=False)
    set_components = forms.BooleanField(
        label="Set components to “Maintenance” at the start",
        required=False,
        help_text="Components with a worse status keep it.",
    )
    restore_components = forms.BooleanField(label="Set components to “Operational” at the end", required=False)
    notify_start = forms.BooleanField(label="At the start", required=False)
    notify_end = forms.BooleanField(label="At the end", required=False)
    reminders = forms.TypedMultipleChoiceField(
        label="Reminders",
        required=False,
        coerce=int,
        choices=[(minutes, f"{text} before") for minutes, text in USUAL_REMINDERS.items()],
    )
    more_reminders = MinutesField(
        label="Other reminders (minutes before the start)",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "30, 120"}),
    )

    def options(self) -> MaintenanceOptions:
        cleaned = self.cleaned_data
        minutes = sorted({*cleaned["reminders"], *cleaned["more_reminders"]})
        return MaintenanceOptions(**{name: cleaned[name] for name in SWITCHES}, reminders=tuple(minutes))

    @property
    def reminder_boxes(self) -> list[tuple[int, str, bool]]:
        chosen = [str(value) for value in self["reminders"].value() or []]
        return [(minutes, f"{text} before", str(minutes) in chosen) for minutes, text in USUAL_REMINDERS.items()]

    @property
    def options_errors(self) -> bool:
        return bool({"reminders", "more_reminders"} & self.errors.keys()) if self.is_bound else False

    @property
    def options_sentence(self) -> str:
        """A summary of the selected options."""
        on = {name: bool(self[name].value()) for name in SWITCHES}
        steps = {
            (True, True): "Starts and completes automatically",
            (True, False): "Starts automatically, is completed manually",
            (False, True): "Is started manually, completes automatically",
            (False, False): "Is started and completed manually",
        }[on["auto_start"], on["auto_complete"]]
        notified = [label for name, label in (("notify_start", "the start"), ("notify_end", "the end")) if on[name]]
        before = [USUAL_REMINDERS.get(int(value), "") for value in self["reminders"].value() or [] if _is_number(value)]
        others = str(self["more_reminders"].value() or "").strip()
        before = [text for text in (*before, f"{others} minutes" if others else "") if text]
        parts = [
            steps,
            f"notifies subscribers about {' and '.join(notified)}"
            if notified
            else "no notification at the start or end",
            *([f"sends reminders {' and '.join(before)} before"] if before else []),
        ]
        return f"{', '.join(parts)}."


def initial_options(options: MaintenanceOptions) -> dict[str, Any]:
    """Return the initial values of the fields for `options`."""
    usual = [minutes for minutes in options.reminders if minutes in USUAL_REMINDERS]
    rest = [str(minutes) for minutes in options.reminders if minutes not in USUAL_REMINDERS]
    return options.switches | {"reminders": usual, "more_reminders": ", ".join(rest)}


def _is_number(value: Any) -> bool:
    return str(value).isdecimal() and len(str(value)) < 7
