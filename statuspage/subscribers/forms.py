from django import forms


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
