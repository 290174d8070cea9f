from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from statuspage.common.email_addresses import EmailField
from statuspage.console.action_form import ActionForm
from statuspage.notifications.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers.models import Channel


class EndpointForm(ActionForm):
    """The fields that a channel needs; its transport validates them. A secret is never shown again."""

    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Shown in the console. Example: #ops in Slack.",
        error_messages={"required": "Enter a name."},
    )
    endpoint = forms.CharField(
        max_length=1000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter a destination."},
    )
    secret = forms.CharField(
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = EmailField(required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"}))

    def __init__(self, data: Any = None, *, channel: Channel) -> None:
        super().__init__(data)
        self.channel = channel
        self._transport = ENDPOINT_TRANSPORTS[channel]
        for name in set(self.fields) - {"name", *self._transport.form_fields}:
            del self.fields[name]
        for name, (label, hint) in self._transport.form_fields.items():
            self.fields[name].label, self.fields[name].help_text = label, hint

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "endpoint" in cleaned:
            try:
                checked = self._transport.clean_endpoint(cleaned["endpoint"], cleaned.get("secret", ""))
            except ValidationError as error:
                self.add_action_errors(error)
            else:
                cleaned["endpoint"], cleaned["secret"] = checked
        return cleaned
