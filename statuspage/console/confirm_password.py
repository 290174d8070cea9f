"""Ask for the password again before a sensitive change."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from statuspage.accounts.forms import ConfirmPasswordForm
from statuspage.accounts.sessions import RECENT, signed_in_recently
from statuspage.console.access import StaffRequest

View = Callable[..., HttpResponse]
_ENTERED_AT = "password_entered_at"


def password_required(view: View) -> View:
    """Run a POST only if the person entered the password within RECENT. Otherwise ask for it.

    The page that asks contains the fields of the form, so nothing has to be entered twice.
    """

    @wraps(view)
    def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or _is_recent(request):
            return view(request, *args, **kwargs)
        field = f"{ConfirmPasswordForm.prefix}-password"
        form = ConfirmPasswordForm(request.POST if field in request.POST else None, user=request.user)
        if form.is_valid():
            request.session[_ENTERED_AT] = time.time()
            return view(request, *args, **kwargs)
        fields = [
            (name, value)
            for name, values in request.POST.lists()
            if name not in (field, "csrfmiddlewaretoken")
            for value in values
        ]
        context = {"page": request.page, "form": form, "fields": fields}
        return render(request, "console/people/confirm_password.html", context, status=422 if form.errors else 403)

    return guarded


def _is_recent(request: StaffRequest) -> bool:
    entered_at = request.session.get(_ENTERED_AT, 0)
    return signed_in_recently(request) or time.time() - entered_at < RECENT.total_seconds()
