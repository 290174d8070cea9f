from datetime import timedelta
from typing import Any

from django import forms

from incidents import clock
from statuspage.accounts.models import Scope
from statuspage.console.action_form import ActionForm

LIFETIMES = {"30": "30 days", "90": "90 days", "365": "One year", "": "Never"}


class TokenForm(ActionForm):
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Shown in the audit log. Example: deploy script.",
    )
    scopes = forms.MultipleChoiceField(
        label="Scopes",
        choices=Scope.choices,
        error_messages={"required": "Select at least one scope."},
    )
    days = forms.ChoiceField(label="Expires after", choices=list(LIFETIMES.items()), required=False, initial="365")

    @property
    def scope_boxes(self) -> list[tuple[str, str, bool]]:
        """Return value, label, and whether it is selected."""
        selected = self["scopes"].value() or []
        return [(value, label, value in selected) for value, label in Scope.choices]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        days = cleaned.pop("days", "")
        cleaned["expires_at"] = clock.now() + timedelta(days=int(days)) if days else None
        return cleaned
