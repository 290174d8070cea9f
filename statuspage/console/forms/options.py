"""What a maintenance does by itself, and whom it tells when: one box each."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.actions.maintenances import MaintenanceOptions
from incidents.models import Incident, MaintenanceSeries
from incidents.wording import duration_text

USUAL_REMINDERS = {15: "15 minutes", 60: "1 hour", 1440: "1 day"}
MAX_REMINDERS = 10
MAX_MINUTES = 60 * 24 * 60
SWITCHES = ("auto_start", "auto_complete", "set_components", "restore_components", "notify_start", "notify_end")


class MinutesField(forms.CharField):
    """Whole numbers of minutes, separated by commas or spaces. Gives a list."""

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        words = re.split(r"[\s,;]+", text.strip()) if text.strip() else []
        if not all(re.fullmatch("[0-9]{1,6}", word) for word in words):
            raise ValidationError("Write minutes as whole numbers, for example 30, 120.")
        minutes = [int(word) for word in words]
        if any(not 1 <= number <= MAX_MINUTES for number in minutes):
            raise ValidationError(f"A reminder comes 1 minute to {MAX_MINUTES // 1440} days before the start.")
        return minutes


class WithOptions(forms.Form):
    auto_start = forms.BooleanField(label="Start at the start time", required=False)
    auto_complete = forms.BooleanField(label="Complete at the end", required=False)
    set_components = forms.BooleanField(
        label="Show its components as under maintenance",
        required=False,
        help_text="From its start. A component whose status is worse keeps it.",
    )
    restore_components = forms.BooleanField(label="Set them back to operational at the end", required=False)
    notify_start = forms.BooleanField(label="When it starts", required=False)
    notify_end = forms.BooleanField(label="When it is completed", required=False)
    reminders = forms.TypedMultipleChoiceField(
        label="Reminders", required=False, coerce=int, choices=list(USUAL_REMINDERS.items()), widget=forms.CheckboxSelectMultiple
    )
    more_reminders = MinutesField(
        label="Others, in minutes",
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "30, 120"}),
    )

    def clean_options(self, cleaned: dict[str, Any]) -> None:
        if len(cleaned.get("reminders", [])) + len(cleaned.get("more_reminders", [])) > MAX_REMINDERS:
            self.add_error("more_reminders", f"{MAX_REMINDERS} reminders are enough.")

    def options(self) -> MaintenanceOptions:
        cleaned = self.cleaned_data
        minutes = sorted({*cleaned["reminders"], *cleaned["more_reminders"]})
        return MaintenanceOptions(**{name: cleaned[name] for name in SWITCHES}, reminders=tuple(minutes))

    @property
    def options_sentence(self) -> str:
        """What the boxes say now, so that nobody has to open them to know."""
        on = {name: bool(self[name].value()) for name in SWITCHES}
        starts = {
            (True, True): "Starts and completes by itself",
            (True, False): "Starts by itself, is completed by hand",
            (False, True): "Is started by hand, completes by itself",
            (False, False): "Is started and completed by hand",
        }[on["auto_start"], on["auto_complete"]]
        told = [word for name, word in (("notify_start", "the start"), ("notify_end", "the end")) if on[name]]
        chosen = [duration_text_of(value) for value in self["reminders"].value() or []]
        others = str(self["more_reminders"].value() or "").strip()
        before = [f"{' and '.join(text for text in chosen if text)} before"] if any(chosen) else []
        before += [f"{others} minutes before"] if others else []
        sets = "" if on["set_components"] else "; its components stay as they are"
        return f"{starts}{sets}. Tells subscribers of {_listed([*told, *before]) or 'neither start nor end'}."


def initial_options(thing: Incident | MaintenanceSeries | None = None) -> dict[str, Any]:
    """As `thing` has them, or the defaults."""
    options = MaintenanceOptions.of(thing) if thing else MaintenanceOptions()
    rest = [minutes for minutes in options.reminders if minutes not in USUAL_REMINDERS]
    return {name: getattr(options, name) for name in SWITCHES} | {
        "reminders": [minutes for minutes in options.reminders if minutes in USUAL_REMINDERS],
        "more_reminders": ", ".join(map(str, rest)),
    }


def duration_text_of(minutes: Any) -> str:
    return USUAL_REMINDERS.get(int(minutes), "") if str(minutes).isdecimal() else ""


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
