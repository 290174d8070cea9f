from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from statuspage.subscribers.transports.http import web_address


class SubscribeForm(forms.Form):
    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": "Please type your e-mail address.",
            "invalid": "This is not a whole e-mail address. It should look like ada@example.com.",
            "max_length": "This is longer than an e-mail address can be.",
        },
    )
    # People do not see it; programs that fill in every field do.
    website = forms.CharField(required=False)

    @property
    def is_from_a_program(self) -> bool:
        return bool(self.data.get("website"))


class WebhookForm(SubscribeForm):
    endpoint = forms.CharField(
        strip=True,
        max_length=1000,
        error_messages={
            "required": "Please type the address that we should call.",
            "max_length": "This is longer than an address may be (1000 characters).",
        },
    )

    def clean_endpoint(self) -> Any:
        try:
            return web_address(self.cleaned_data["endpoint"])
        except ValidationError as error:
            raise ValidationError(error.messages) from None
