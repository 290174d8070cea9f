from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from statuspage.common.email_addresses import EmailField
from statuspage.console.action_form import ActionForm
from statuspage.subscribers import csv_format
from statuspage.subscribers.forms import PreferencesForm

ASK, AGREED = "ask", "word"
BY = [
    (ASK, "Send a confirmation email. They receive notifications after they confirm."),
    (AGREED, "They have agreed to receive messages. They receive notifications from now on."),
]


def by_field() -> forms.ChoiceField:
    return forms.ChoiceField(label="Confirmation", choices=BY, initial=ASK, widget=forms.RadioSelect)


class StaffPreferencesForm(PreferencesForm):
    """The preferences of someone else: the labels do not address the reader."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["scope"].label = "Updates about"
        self.fields["kinds"].label = "Types of notifications"


class AddForm(ActionForm, StaffPreferencesForm):
    email = EmailField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    by = by_field()

    @property
    def is_confirmed(self) -> bool:
        """Whether no confirmation is needed. Call `is_valid()` first."""
        return bool(self.cleaned_data["by"] == AGREED)


class ImportForm(forms.Form):
    """The file is uploaded first. After the preview its content comes back as `text`, and is validated again."""

    file = forms.FileField(label="CSV file", required=False, allow_empty_file=True)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)
    by = by_field()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        try:
            raw = upload.read(csv_format.MAX_BYTES + 1) if upload else cleaned.get("text", "").encode()
            cleaned["text"] = csv_format.read_text(raw)
        except ValidationError as error:
            self.add_error("file", error)
        else:
            if not cleaned["text"].strip() and "file" not in self.errors:
                self.add_error("file", "Choose a file." if upload is None else "The file is empty.")
        return cleaned
