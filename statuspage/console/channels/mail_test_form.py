from django import forms

from statuspage.common.email_addresses import EmailField


class MailTestForm(forms.Form):
    to = EmailField(
        label="To",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        help_text="Use your own address, or a mailbox at a large provider that you can read.",
    )
