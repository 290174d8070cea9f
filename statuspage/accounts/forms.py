"""allauth's forms in Candor's words, with what browsers and password managers need to fill them in."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.http import HttpRequest

from statuspage.accounts.models import AccountEmailKind, AccountEmailRequest

EMAIL = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class LoginForm(allauth_forms.LoginForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, "login", "E-mail", **EMAIL)
        _dress(self, "password", "Password")
        # After a wrong password the address still stands there: go on where the mistake is.
        waiting = "password" if self.is_bound and self.data.get("login") else "login"
        self.fields[waiting].widget.attrs["autofocus"] = True


class ResetPasswordForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, "email", "E-mail", autofocus=True, **EMAIL)

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Request the email. The same single row is written whether the address has an account or not."""
        address: str = self.cleaned_data["email"]
        AccountEmailRequest.objects.create(kind=AccountEmailKind.PASSWORD_RESET, address=address)
        return address


class ResetPasswordKeyForm(allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress_new_password(self, autofocus=True)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self, "oldpassword", "Present password", autofocus=True)
        _dress_new_password(self)


def _dress_new_password(form: forms.Form, **attrs: object) -> None:
    help_text = "At least 12 characters. Four words that you can remember are better than eight signs that you cannot."
    _dress(form, "password1", "New password", help_text, **attrs)
    _dress(form, "password2", "New password once more")


def _dress(form: forms.Form, name: str, label: str, help_text: str = "", **attrs: object) -> None:
    field = form.fields[name]
    field.label, field.help_text = label, help_text
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(attrs)
