from django import forms
from django.core.exceptions import ValidationError

from statuspage.accounts.models import Role


class PersonForm(forms.Form):
    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    name = forms.CharField(
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Stands in the audit log beside what they do.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.EDITOR)

    def refuse(self, error: ValidationError) -> None:
        for field, messages in error.message_dict.items():
            self.add_error(field if field in self.fields else None, list(messages))
