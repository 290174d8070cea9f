from decimal import Decimal
from typing import Any

from django import forms

from incidents.reporting.uptime import Weights
from statuspage.console.action_form import ActionForm

NOT_A_SHARE = "Enter a whole number from 0 to 100."


def _share(label: str, hint: str = "") -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=0,
        max_value=100,
        help_text=hint,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": NOT_A_SHARE,
            "invalid": NOT_A_SHARE,
            "min_value": NOT_A_SHARE,
            "max_value": NOT_A_SHARE,
        },
    )


class WeightsForm(ActionForm):
    """The share of a status's time that counts as downtime, in percent."""

    major_outage = _share("Major outage, %", "100 counts all of it as downtime.")
    partial_outage = _share("Partial outage, %", "Most status pages use 30.")
    degraded_performance = _share("Degraded performance, %", "0 does not count it as downtime.")

    def __init__(self, data: Any, *, weights: Weights) -> None:
        super().__init__(data, initial={name: int(100 * getattr(weights, name)) for name in self.base_fields})

    def weights(self) -> Weights:
        return Weights(**{name: Decimal(share) / 100 for name, share in self.cleaned_data.items()})
