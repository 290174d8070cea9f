"""Who may call a console view: every view says so by this decorator, and a test walks all of them."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from statuspage.accounts.models import Role, User
from statuspage.common.urls import current_page

TYPED = ("title", "body", "note", "name", "description", "text")

View = Callable[..., HttpResponseBase]


class StaffRequest(HttpRequest):
    """What a console view gets: somebody is signed in."""

    user: User
    htmx: Any


def role_required(role: Role) -> Callable[[View], View]:
    """Let in who has `role` or more. Others: to the sign-in and back, or a page that says what is missing (403)."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _to_sign_in(request)
            if not request.user.has_role(role):
                context = {"page": current_page(request), "role": role}
                return render(request, "console/forbidden.html", context, status=403)
            response = view(request, *args, **kwargs)
            add_never_cache_headers(response)
            return response

        guarded.access = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. The usual cause is honest: somebody signed in again in another tab meanwhile."""
    return _show_typed(request, "console/form_expired.html", status=403)


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A reader is sent to the sign-in and back. Who was writing is told so, and keeps the text."""
    back = request.get_full_path() if request.method == "GET" else reverse("console:dashboard")
    address = f"{reverse('account_login')}?{urlencode({'next': back})}"
    if getattr(request, "htmx", False):
        # No redirect: it would take the page away from somebody who is typing.
        return render(request, "console/_signed_out.html", {"address": address}, status=401)
    if _typed(request):
        return _show_typed(request, "console/signed_out.html", status=401, address=address)
    return HttpResponseRedirect(address)


def _show_typed(request: HttpRequest, template: str, *, status: int, **context: str) -> HttpResponse:
    return render(request, template, {"typed": _typed(request), **context}, status=status)


def _typed(request: HttpRequest) -> list[str]:
    return [str(value) for name, value in request.POST.items() if name.endswith(TYPED) and str(value).strip()]
