from django import forms


class MailTestForm(forms.Form):
    to = forms.EmailField(
        label="To",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        help_text="Yourself, or a mailbox at a large provider that you can look into.",
        error_messages={
            "required": "Please type an e-mail address.",
            "invalid": "This is not a whole e-mail address. It should look like ada@example.com.",
            "max_length": "This is longer than an e-mail address can be.",
        },
    )
