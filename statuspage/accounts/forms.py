"""allauth's forms with Candor's labels and the attributes that browsers and password managers need for autofill."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.http import HttpRequest

from statuspage.accounts.models import AccountEmailKind, AccountEmailRequest
from statuspage.common.email_addresses import EmailField

EMAIL = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}


class LoginForm(allauth_forms.LoginForm):  # type: ignore[misc]  # allauth ships no types
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = EmailField()
        _set_up(self, "login", "Email", **EMAIL)
        _set_up(self, "password", "Password")
        # After a wrong password the address is still filled in: focus the password.
        focused = "password" if self.is_bound and self.data.get("login") else "login"
        self.fields[focused].widget.attrs["autofocus"] = True


class ResetPasswordForm(allauth_forms.ResetPasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"] = EmailField()
        _set_up(self, "email", "Email", autofocus=True, **EMAIL)

    def save(self, request: HttpRequest, **kwargs: Any) -> str:
        """Request the email. The same single row is written whether the address has an account or not."""
        address: str = self.cleaned_data["email"]
        AccountEmailRequest.objects.create(kind=AccountEmailKind.PASSWORD_RESET, address=address)
        return address


class ResetPasswordKeyForm(allauth_forms.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _set_up_new_password(self, autofocus=True)


class ChangePasswordForm(allauth_forms.ChangePasswordForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _set_up(self, "oldpassword", "Current password", autofocus=True)
        _set_up_new_password(self)


class ConfirmPasswordForm(allauth_forms.ReauthenticateForm):  # type: ignore[misc]
    """Asks signed-in people for their password. The name of its field does not occur in other forms."""

    prefix = "confirm"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _set_up(self, "password", "Your password", autofocus=True)


def _set_up_new_password(form: forms.Form, **attrs: object) -> None:
    help_text = "Use 12 to 128 characters. Four random words are stronger and easier to remember than eight symbols."
    _set_up(form, "password1", "New password", help_text, **attrs)
    _set_up(form, "password2", "Confirm new password")


def _set_up(form: forms.Form, name: str, label: str, help_text: str = "", **attrs: object) -> None:
    field = form.fields[name]
    field.label, field.help_text = label, help_text
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs.update(attrs)
