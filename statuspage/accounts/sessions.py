"""The sessions of a person: where they are signed in, and how to end that."""

from datetime import timedelta
from typing import cast

from django.db import Error
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from statuspage.accounts.models import StaffSession, User
from statuspage.accounts.session_store import SessionStore
from statuspage.common.client_ip import client_address
from statuspage.common.database_errors import database_failure
from statuspage.common.database_middleware import is_form_shown_again

# `last_used_at` is accurate to this.
RECORDED_EVERY = timedelta(minutes=5)
# A password that was entered this recently does not have to be entered again before a sensitive change.
RECENT = timedelta(minutes=15)


def record_use(request: HttpRequest) -> None:
    """Store when and from where the session was used last. Pages that only read do not fail if this cannot write."""
    row = _store(request).row
    if row is None or row.last_used_at > timezone.now() - RECORDED_EVERY or is_form_shown_again():
        return
    try:
        describe(request)
    except Error as error:
        failure = database_failure(error)
        if request.method not in ("GET", "HEAD") or failure is None or not failure.readable:
            raise


def describe(request: HttpRequest) -> None:
    """Store the address and the device of the request in its session."""
    StaffSession.objects.filter(session_key=_store(request).digest).update(
        last_used_at=timezone.now(),
        address=client_address(request)[:45],
        device=request.headers.get("User-Agent", "")[:300],
    )


def signed_in_recently(request: HttpRequest) -> bool:
    row = _store(request).row
    return bool(row and row.created_at > timezone.now() - RECENT)


def own_sessions(user: User) -> QuerySet[StaffSession]:
    """The sessions in which the person is signed in, the one used last first."""
    return StaffSession.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-last_used_at")


def current_digest(request: HttpRequest) -> str:
    return _store(request).digest


def _store(request: HttpRequest) -> SessionStore:
    store = cast(SessionStore, request.session)
    store.get("")  # reads it
    return store
