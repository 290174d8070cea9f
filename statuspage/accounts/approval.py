"""Approval by a second person: try what a request would change, store it as a proposal, and apply it later.

`incidents.actions._audit.record` decides which changes need approval, and raises ApprovalRequired.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.messages import constants
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from incidents.actions import proposals
from incidents.models import AuditEntry, Incident, IncidentUpdate, Page, Postmortem, Proposal
from statuspage.accounts.models import ApiToken, User
from statuspage.accounts.session_store import SessionStore
from statuspage.common.recorded_requests import rebuilt, recorded, respond_to

NOT_APPLICABLE = "This change can no longer be made. Reject it, and ask its author to propose it again."
AUTHOR_GONE = "Its author may no longer make this change. Reject it."


@dataclass
class Outcome:
    """What a request did: its response and the audit entries that it wrote."""

    response: HttpResponseBase
    changes: list[dict[str, Any]]
    incident: Incident | None


def try_out(call: Callable[[], HttpResponseBase], page: Page, author: User | ApiToken) -> Outcome:
    """Return what `call` would do with an approval, and change nothing."""
    with transaction.atomic():
        outcome = _run(call, page, author, approver="nobody yet")
        transaction.set_rollback(True)
    return outcome


def propose(outcome: Outcome, request: HttpRequest, page: Page, author: User | ApiToken) -> Proposal | None:
    """Store the change as a proposal. None if the request failed or would change nothing."""
    if outcome.response.status_code >= 400 or not outcome.changes:
        return None
    incident = outcome.incident
    return proposals.propose(
        page,
        author=author.actor,
        request=recorded(request),
        changes=outcome.changes,
        incident=incident if incident and Incident.objects.filter(pk=incident.pk).exists() else None,
    )


def apply(proposal: Proposal, *, approver: User) -> None:
    """Approve the change and make it, in one transaction. ValidationError with the reason if that is impossible."""
    changes: list[dict[str, Any]] = []
    try:
        with transaction.atomic():
            row = proposals.approve(proposal, actor=approver.actor)
            author = _author(row)
            request = _request_of(row, author)
            outcome = _run(lambda: respond_to(request), row.page, author, approver=str(approver))
            if outcome.response.status_code >= 400 or not outcome.changes:
                raise ValidationError(_reason(request))
            changes = outcome.changes
            proposals.check_unchanged(row, changes)
    except ValidationError as error:
        if proposals.OUTDATED in error.messages:
            proposals.refresh(proposal, changes)
        raise


def _run(call: Callable[[], HttpResponseBase], page: Page, author: User | ApiToken, *, approver: str) -> Outcome:
    newest = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    author.approver = approver
    try:
        response = call()
    finally:
        author.approver = ""
    actor = author.actor
    own = AuditEntry.objects.filter(pk__gt=newest, page=page, actor_kind=actor.kind, actor_ref=actor.ref)
    entries = list(own.order_by("pk"))
    return Outcome(response, proposals.describe(entries), _incident_of(entries))


def _incident_of(entries: list[AuditEntry]) -> Incident | None:
    for entry in entries:
        if entry.object_type == "incident":
            return Incident.objects.filter(public_id=entry.object_ref).first()
        if entry.object_type == "incidentupdate":
            update = IncidentUpdate.objects.filter(public_id=entry.object_ref).select_related("incident").first()
            return update.incident if update else None
        if entry.object_type == "postmortem":
            postmortem = Postmortem.objects.filter(pk=entry.object_ref).select_related("incident").first()
            return postmortem.incident if postmortem else None
    return None


def _author(proposal: Proposal) -> User | ApiToken:
    author: User | ApiToken | None = None
    if proposal.author_kind == "token":
        author = ApiToken.objects.filter(public_id=proposal.author_ref).select_related("page").first()
        is_allowed = author is not None and author.is_usable
    else:
        author = User.objects.filter(pk=proposal.author_ref).first()
        is_allowed = author is not None and author.is_active
    if author is None or not is_allowed:
        raise ValidationError(AUTHOR_GONE)
    return author


def _request_of(proposal: Proposal, author: User | ApiToken) -> Any:
    request: Any = rebuilt(proposal.request)
    request.htmx = False
    request._messages, request.session = CookieStorage(request), SessionStore()
    if isinstance(author, ApiToken):
        request.acting_token = author
    else:
        request.user = author
    return request


def _reason(request: Any) -> str:
    """Return the error that the view reported, if it did so by a message."""
    errors = [str(message) for message in request._messages._queued_messages if message.level >= constants.ERROR]
    return " ".join([*errors, NOT_APPLICABLE])
