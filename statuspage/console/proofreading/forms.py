from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.proofreading import ProofreadingOptions, Severity
from incidents.proofreading.facts import MOST_WORDS
from statuspage.console.action_form import ActionForm

WHOLE = f"Enter a whole number from 1 to {MOST_WORDS:,}."
BLOCKS = [
    (Severity.ERROR.value, "Errors: contradictory times, leaks, unfilled placeholders"),
    (Severity.WARNING.value, "Warnings: unclear time zones, no time for the next update, blaming a person by name"),
    (Severity.ADVICE.value, "Advice: relative days, capital letters, length"),
]


def _lines(label: str, hint: str, *, rows: int = 5) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
    return forms.CharField(label=label, required=False, help_text=hint, widget=widget, max_length=60_000)


class ProofreadingForm(ActionForm):
    hosts = _lines(
        "Internal host names",
        "One per line. Use * as a wildcard. Example: *.prod.example.com. Names such as *.internal are always detected.",
    )
    customers = _lines("Customers who must not be named", "One per line, as usually written.")
    max_words = forms.IntegerField(
        label="Maximum number of words in an update",
        min_value=1,
        max_value=MOST_WORDS,
        help_text="Postmortems have no limit.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), WHOLE),
    )
    blocks = forms.MultipleChoiceField(
        label="Block publishing on",
        required=False,
        choices=BLOCKS,
        help_text="With nothing selected, proofreading never blocks publishing.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any, *, options: ProofreadingOptions) -> None:
        saved = options.as_json()
        initial = saved | {name: "\n".join(saved[name]) for name in ("hosts", "customers")}
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        """Check both lists, so that all errors are shown at once."""
        cleaned = super().clean() or {}
        for name in ("hosts", "customers"):
            try:
                ProofreadingOptions.checked(**{name: cleaned.get(name, "").splitlines()})
            except ValidationError as error:
                self.add_action_errors(error)
        return cleaned

    def options(self) -> ProofreadingOptions:
        lines = {name: self.cleaned_data[name].splitlines() for name in ("hosts", "customers")}
        return ProofreadingOptions.checked(
            **lines, max_words=self.cleaned_data["max_words"], blocks=self.cleaned_data["blocks"]
        )
