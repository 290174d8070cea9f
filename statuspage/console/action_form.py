"""The base class of the console's forms whose values an action checks, and how pages with a form are rendered."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from statuspage.common.database_middleware import refusal


class ActionForm(forms.Form):
    """A form that hands its values to an action. The action validates them; its errors are shown in the form.

    `warnings` are reasons to confirm a valid form before its action runs. `unavailable` is the reason why the database
    could not store the values, which are not the cause.
    """

    warnings: Sequence[str] = ()
    unavailable = ""

    def full_clean(self) -> None:
        """Refuse the values with the reason why the database could not store them, if there is one."""
        super().full_clean()
        reasons = refusal.get([])
        if self.is_bound and reasons:
            self.unavailable = reasons.pop()
            self.add_error(None, self.unavailable)

    def add_action_errors(self, error: ValidationError) -> None:
        """Show each error next to the field that it names, and all others above the form."""
        errors = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
        for name, messages in errors.items():
            self.add_error(name if name in self.fields else None, list(messages))


def render_form(
    request: HttpRequest, template: str, context: Mapping[str, Any], *submitted: forms.BaseForm | None
) -> HttpResponse:
    """Render a page with forms. The status is 422 if one of the `submitted` forms has errors or warnings, else 200."""
    is_rejected = any(form is not None and (form.errors or getattr(form, "warnings", ())) for form in submitted)
    return render(request, template, dict(context), status=422 if is_rejected else 200)
