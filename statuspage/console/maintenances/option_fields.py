"""What a maintenance does by itself, and whom it tells when: one box each."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.models.maintenances import SWITCHES

USUAL_REMINDERS = {15: "15 minutes", 60: "1 hour", 1440: "1 day"}


class MinutesField(forms.CharField):
    """Whole numbers, separated by commas or spaces. Gives a list."""

    def clean(self, value: Any) -> Any:
        words = [word for word in re.split(r"[\s,;]+", super().clean(value)) if word]
        if not all(re.fullmatch("[0-9]{1,6}", word) for word in words):
            raise ValidationError("Write minutes as whole numbers, for example 30, 120.")
        return [int(word) for word in words]


class WithOptions(forms.Form):
    auto_start = forms.BooleanField(label="Start at the start time", required=False)
    auto_complete = forms.BooleanField(label="Complete at the end time", required=False)
    set_components = forms.BooleanField(
        label="Set its components to “Maintenance” at the start",
        required=False,
        help_text="One whose status is worse keeps it.",
    )
    restore_components = forms.BooleanField(label="Set them back to “Operational” at the end", required=False)
    notify_start = forms.BooleanField(label="At its start", required=False)
    notify_end = forms.BooleanField(label="At its end", required=False)
    reminders = forms.TypedMultipleChoiceField(
        label="Reminders",
        required=False,
        coerce=int,
        choices=[(minutes, f"{text} before") for minutes, text in USUAL_REMINDERS.items()],
    )
    more_reminders = MinutesField(
        label="Other reminders, in minutes before",
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
        """What the boxes say now, so that nobody has to open them to know."""
        on = {name: bool(self[name].value()) for name in SWITCHES}
        steps = {
            (True, True): "Starts and completes by itself",
            (True, False): "Starts by itself, is completed by hand",
            (False, True): "Is started by hand, completes by itself",
            (False, False): "Is started and completed by hand",
        }[on["auto_start"], on["auto_complete"]]
        told = [word for name, word in (("notify_start", "the start"), ("notify_end", "the end")) if on[name]]
        before = [USUAL_REMINDERS.get(int(value), "") for value in self["reminders"].value() or [] if _is_number(value)]
        others = str(self["more_reminders"].value() or "").strip()
        before = [text for text in (*before, f"{others} minutes" if others else "") if text]
        tells = f"tells subscribers of {' and '.join(told)}" if told else "tells nobody of start and end"
        return (
            f"{steps}, {tells}{', reminds them ' if before else ''}{' and '.join(before)}{' before' if before else ''}."
        )


def initial_options(options: MaintenanceOptions) -> dict[str, Any]:
    """The boxes as `options` has them."""
    usual = [minutes for minutes in options.reminders if minutes in USUAL_REMINDERS]
    rest = [str(minutes) for minutes in options.reminders if minutes not in USUAL_REMINDERS]
    return options.switches | {"reminders": usual, "more_reminders": ", ".join(rest)}


def _is_number(value: Any) -> bool:
    return str(value).isdecimal() and len(str(value)) < 7
