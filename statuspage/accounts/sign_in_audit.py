"""Audit log entries about sign-ins: who, from which address, with which device.

Wrong passwords are limited in number, so that whoever tries many does not fill the log.
"""

from django.http import Http404, HttpRequest

from incidents.actor import SYSTEM
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.accounts.models import User
from statuspage.accounts.ratelimit import allow
from statuspage.common.client_ip import client_address
from statuspage.common.urls import current_page

HOUR = 3600
# Of each kind of failure: one in five minutes per account and network, and so many in an hour in total.
FAILURES_PER_HOUR = 60


def record_sign_in(request: HttpRequest, user: User) -> None:
    _note(request, "person.signed_in", user, by_person=True)


def record_sign_out(request: HttpRequest, user: User) -> None:
    _note(request, "person.signed_out", user, by_person=True)


def record_failure(request: HttpRequest, email: str, key: str, *, blocked: bool, window: int) -> None:
    """Record a wrong password, or that further ones are refused (`blocked`). `key` identifies account and network."""
    kind = "blocked" if blocked else "failed"
    if not allow(f"audit:{kind}:{key}"[:120], 1, window) or not allow(f"audit:{kind}", FAILURES_PER_HOUR, HOUR):
        return
    user = User.objects.filter(email=email).first()
    verb = f"person.sign_in_{kind}" if user else f"person.unknown_{kind}"
    _note(request, verb, user, by_person=False)


def page_of(request: HttpRequest) -> Page | None:
    """Return the page of the request's host name; None before set-up."""
    try:
        return current_page(request)
    except Http404:
        return None


def _note(request: HttpRequest, verb: str, user: User | None, *, by_person: bool) -> None:
    if page := page_of(request):
        note(
            page,
            verb,
            actor=user.actor if user and by_person else SYSTEM,
            object_type="user",
            object_ref=str(user.pk) if user else "",
            address=client_address(request),
            device=request.headers.get("User-Agent", "")[:300],
        )
