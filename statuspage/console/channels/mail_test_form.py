from django import forms


class MailTestForm(forms.Form):
    to = forms.EmailField(
        label="To",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        help_text="Use your own address, or a mailbox at a large provider that you can read.",
        error_messages={
            "required": "Enter an email address.",
            "invalid": "Enter a valid email address. Example: ada@example.com.",
            "max_length": "The email address is too long.",
        },
    )
