import hashlib
import zoneinfo
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.models import Page
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import fill_in

FIELDS = ("name", "description", "support_url", "time_zone", "domain", "footer", "accent", "accent_dark")


class SettingsForm(ActionForm):
    """What the page says of itself. The checks that matter are the action's."""

    name = forms.CharField(required=False, strip=False, max_length=100)
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One or two sentences: search engines and link previews show them.",
    )
    support_url = forms.URLField(
        label="Support address",
        required=False,
        max_length=200,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url"}),
        help_text="Linked as “Get support” at the foot of the page.",
    )
    time_zone = forms.ChoiceField(help_text="All times of the page and of mails are shown in it. Nothing else changes.")
    domain = forms.CharField(
        label="Host name",
        required=False,
        max_length=253,
        help_text="Like status.example.com. Links in mails and feeds lead there, so it must lead here first.",
    )
    footer = forms.CharField(required=False, max_length=300, help_text="A line of plain text at the foot of the page.")
    accent = forms.CharField(
        label="Accent colour",
        required=False,
        max_length=20,
        help_text="Of links and focus, like #2846a8. It must be readable on light ground. Empty: Candor's own blue.",
    )
    accent_dark = forms.CharField(
        label="Accent colour in the dark",
        required=False,
        max_length=20,
        help_text="Empty: the accent colour, made as much lighter as it needs.",
    )

    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, page: Page) -> None:
        now = {name: getattr(page, name) for name in FIELDS}
        self.state = hashlib.sha256(repr(now).encode()).hexdigest()[:16]
        super().__init__(data, initial=now | {"shown": self.state})
        # One that this machine does not know any more is kept, and refused only if it is chosen anew.
        names = sorted({*zoneinfo.available_timezones(), page.time_zone})
        self.fields["time_zone"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Else an old tab would take back what somebody else has set since."""
        cleaned = super().clean() or {}
        if cleaned.get("shown") != self.state:
            fill_in(self, shown=self.state)
            raise ValidationError("Somebody else changed the settings meanwhile. Compare in another tab, then save.")
        return cleaned

    @property
    def changes(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "shown"}
