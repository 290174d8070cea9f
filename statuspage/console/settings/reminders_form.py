from typing import Any

from django import forms

from incidents.reminders.overdue_updates import MOST_MINUTES, Reminders
from statuspage.console.action_form import ActionForm

NOT_A_NUMBER = f"Enter a whole number from 0 to {MOST_MINUTES:,}."


def _minutes(label: str, hint: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        help_text=hint,
        min_value=0,
        max_value=MOST_MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), NOT_A_NUMBER),
    )


class RemindersForm(ActionForm):
    """The fields of `Reminders`."""

    critical = _minutes("Critical impact")
    major = _minutes("Major impact")
    minor = _minutes("Minor impact")
    none = _minutes("No impact")
    still_red = _minutes(
        "Minutes after an incident is resolved with components that are not operational",
        "Sent once per incident, for components that no other open incident or maintenance affects. 0 disables it.",
    )
    by_mail = forms.BooleanField(
        label="Send reminders by email",
        required=False,
        help_text="Sent to editors and owners. Each person can turn it off in their account settings.",
    )

    def __init__(self, data: Any, *, reminders: Reminders) -> None:
        super().__init__(data, initial=reminders.as_json(), prefix="remind")

    def by_impact(self) -> list[forms.BoundField]:
        return [self[name] for name in ("critical", "major", "minor", "none")]
