"""Who may call a console view, and for which page. Each view is decorated; a test checks all of them."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.csrf import csrf_failure as default_csrf_failure
from django_htmx.http import HttpResponseClientRedirect

from incidents.errors import ApprovalRequired
from incidents.models import Page
from statuspage.accounts import approval
from statuspage.accounts.models import Role, User
from statuspage.accounts.sessions import record_use
from statuspage.common.database_middleware import is_form_shown_again
from statuspage.common.urls import console_url, current_page

TYPED = ("title", "body", "note", "name", "description", "text")

View = Callable[..., HttpResponseBase]


class StaffRequest(HttpRequest):
    """The request of a console view: a person is signed in, and the URL names a page."""

    user: User
    page: Page
    htmx: Any


def role_required(role: Role, *, writes: bool = True) -> Callable[[View], View]:
    """Allow people with at least `role`, and set `request.page` from the `page_id` of the URL.

    `writes` False: a POST of this view changes nothing, so it needs no transaction, which takes a lock on SQLite.
    Redirect others to sign in, or show which role they need (403). Raise Http404 if the page does not exist.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, page_id: str = "", **kwargs: Any) -> HttpResponseBase:
            if not isinstance(request.user, User):
                return _to_sign_in(request, page_id)
            page = get_object_or_404(Page, public_id=page_id) if page_id else current_page(request)
            request.page = page  # type: ignore[attr-defined]
            record_use(request)
            if not request.user.has_role(role):
                return render(request, "console/forbidden.html", {"page": page, "role": role}, status=403)
            call = partial(view, request, *args, **kwargs)
            response = _respond(request, page, call) if writes else call()
            add_never_cache_headers(response)
            return response

        guarded.access = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def _respond(request: HttpRequest, page: Page, call: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Call the view. What needs a second person's approval is stored as a proposal instead."""
    if request.method != "POST" or not page.requires_approval or is_form_shown_again():
        return call()
    try:
        with transaction.atomic():
            return call()
    except ApprovalRequired:
        return _propose(request, page, call)


def _propose(request: Any, page: Page, call: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Return the response of the view if it reports an error, otherwise a redirect to the new proposal."""
    user, shown = request.user, request._messages
    request._messages = CookieStorage(request)
    outcome = approval.try_out(call, page, user)
    proposal = approval.propose(outcome, request, page, user)
    if proposal is None:
        return outcome.response
    request._messages = shown
    messages.success(request, "Approval requested. Nothing is published yet.")
    address = console_url(page, "proposal", proposal.public_id)
    return HttpResponseClientRedirect(address) if request.htmx else HttpResponseRedirect(address)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. The usual cause is that the person signed in again in another tab."""
    try:
        return _show_typed(request, "console/form_expired.html", status=403)
    except Error:  # the layout shows the name of the page, from the database
        return default_csrf_failure(request, reason)


def _to_sign_in(request: HttpRequest, page_id: str) -> HttpResponse:
    """Redirect to sign-in and back. A submitted form is not lost: its texts are shown, to be copied."""
    dashboard = reverse("console:dashboard", args=[page_id]) if page_id else reverse("console:home")
    back = request.get_full_path() if request.method == "GET" else dashboard
    url = f"{reverse('account_login')}?{urlencode({'next': back})}"
    if getattr(request, "htmx", False):
        # No redirect, which would discard what the person is typing.
        return render(request, "console/_signed_out.html", {"address": url}, status=401)
    if _typed(request):
        return _show_typed(request, "console/signed_out.html", status=401, address=url)
    return HttpResponseRedirect(url)


def _show_typed(request: HttpRequest, template: str, *, status: int, **context: str) -> HttpResponse:
    return render(request, template, {"typed": _typed(request), **context}, status=status)


def _typed(request: HttpRequest) -> list[str]:
    return [str(value) for name, value in request.POST.items() if name.endswith(TYPED) and str(value).strip()]
