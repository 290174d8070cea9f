from django import forms

from statuspage.accounts.models import Role
from statuspage.common.email_addresses import EmailField
from statuspage.console.action_form import ActionForm


class PersonForm(ActionForm):
    email = EmailField(label="Email", widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}))
    name = forms.CharField(
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Shown in the audit log.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.EDITOR)
