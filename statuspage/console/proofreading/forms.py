from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.proofreading import Options, Severity
from incidents.proofreading.facts import MOST_WORDS
from statuspage.console.action_form import ActionForm

WHOLE = f"Write a whole number from 1 to {MOST_WORDS:,}."
BLOCKS = [
    (Severity.ERROR.value, "Something wrong: contradicting times, leaks, things left to fill in"),
    (Severity.WARNING.value, "Something doubtful: unclear time zones, no time for the next update, blame by name"),
    (Severity.ADVICE.value, "Anything else to improve: relative days, capitals, length"),
]


def _lines(label: str, hint: str, *, rows: int = 5) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
    return forms.CharField(label=label, required=False, help_text=hint, widget=widget, max_length=60_000)


class ProofreadingForm(ActionForm):
    hosts = _lines(
        "Internal host names", "One a line; * stands for anything: *.prod.example.com. Names like *.internal are known."
    )
    customers = _lines("Customers who are not to be named", "One a line, as they are usually written.")
    max_words = forms.IntegerField(
        label="Words that an update may have",
        min_value=1,
        max_value=MOST_WORDS,
        help_text="A postmortem may be as long as it needs to be.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), WHOLE),
    )
    blocks = forms.MultipleChoiceField(
        label="Publish nothing that has",
        required=False,
        choices=BLOCKS,
        help_text="Nothing ticked: the proofreader says what it sees, and whoever writes decides.",
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any, *, options: Options) -> None:
        kept = options.as_json()
        initial = kept | {name: "\n".join(kept[name]) for name in ("hosts", "customers")}
        super().__init__(data, initial=initial)

    def clean(self) -> dict[str, Any]:
        """So that everything that is wrong is said at once."""
        cleaned = super().clean() or {}
        for name in ("hosts", "customers"):
            try:
                Options.checked(**{name: cleaned.get(name, "").splitlines()})
            except ValidationError as error:
                self.add_action_errors(error)
        return cleaned

    def options(self) -> Options:
        lines = {name: self.cleaned_data[name].splitlines() for name in ("hosts", "customers")}
        return Options.checked(**lines, max_words=self.cleaned_data["max_words"], blocks=self.cleaned_data["blocks"])
