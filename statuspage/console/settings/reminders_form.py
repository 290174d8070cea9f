from typing import Any

from django import forms

from incidents.reminders.overdue_updates import MOST_MINUTES, Reminders
from statuspage.console.action_form import ActionForm

WHOLE = f"Write a whole number from 0 to {MOST_MINUTES:,}."


def _minutes(label: str, hint: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=hint,
        min_value=0,
        max_value=MOST_MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), WHOLE),
    )


class RemindersForm(ActionForm):
    """`Reminders`, field by field."""

    critical = _minutes("Critical impact")
    major = _minutes("Major impact")
    minor = _minutes("Minor impact")
    none = _minutes("No impact")
    still_red = _minutes(
        "Minutes after a resolve that left components in trouble",
        "Those that no other open incident or running maintenance names. Once for each resolve; 0 is never.",
    )
    by_mail = forms.BooleanField(
        label="Remind by mail too",
        required=False,
        help_text="Goes to editors and owners. Each can switch it off for themselves, behind their name in the bar.",
    )

    def __init__(self, data: Any, *, reminders: Reminders) -> None:
        super().__init__(data, initial=reminders.as_json(), prefix="remind")

    def by_impact(self) -> list[forms.BoundField]:
        return [self[name] for name in ("critical", "major", "minor", "none")]
