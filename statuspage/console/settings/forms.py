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
    """The page settings. The action validates the values."""

    name = forms.CharField(required=False, strip=False, max_length=100)
    description = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One or two sentences. Shown by search engines and in link previews.",
    )
    support_url = forms.URLField(
        label="Support URL",
        required=False,
        max_length=200,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url"}),
        help_text="Linked as “Get support” in the footer.",
    )
    time_zone = forms.ChoiceField(help_text="Used for all times on the page and in emails.")
    domain = forms.CharField(
        label="Domain",
        required=False,
        max_length=253,
        help_text="Example: status.example.com. Links in emails and feeds use this domain. "
        "Point its DNS record to this server before you save.",
    )
    footer = forms.CharField(required=False, max_length=300, help_text="One line of plain text in the footer.")
    accent = forms.CharField(
        label="Accent color",
        required=False,
        max_length=20,
        help_text="Color of links and focus outlines. Example: #2846a8. Leave empty to use blue.",
    )
    accent_dark = forms.CharField(
        label="Accent color in dark mode",
        required=False,
        max_length=20,
        help_text="Leave empty to use a lighter shade of the accent color.",
    )

    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, page: Page) -> None:
        now = {name: getattr(page, name) for name in FIELDS}
        self.version = hashlib.sha256(repr(now).encode()).hexdigest()[:16]
        super().__init__(data, initial=now | {"shown": self.version})
        # The current time zone stays in the list even if this machine does not know it.
        names = sorted({*zoneinfo.available_timezones(), page.time_zone})
        self.fields["time_zone"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Reject the form if the settings changed since it was opened."""
        cleaned = super().clean() or {}
        if cleaned.get("shown") != self.version:
            fill_in(self, shown=self.version)
            raise ValidationError("Someone else changed these settings. Review their changes, then save again.")
        return cleaned

    @property
    def changes(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in self.changed_data if name != "shown"}
