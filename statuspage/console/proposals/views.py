"""Proposals: changes that wait for a second person's approval, as before and after."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions import proposals
from incidents.models import AuditEntry, Proposal
from statuspage.accounts import approval
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.audit.audit_sentences import AuditLine, lines

MAX_NOTE = 2000


@role_required(Role.EDITOR)
def proposal(request: StaffRequest, public_id: str) -> HttpResponse:
    shown = _proposal(request, public_id)
    is_own = request.user.actor.person_key == shown.author.person_key
    context = {"page": request.page, "proposal": shown, "lines": lines_of(shown), "is_own": is_own}
    return render(request, "console/proposals/proposal.html", context)


@role_required(Role.EDITOR)
@require_POST
def act_on_proposal(request: StaffRequest, public_id: str) -> HttpResponse:
    shown, note = _proposal(request, public_id), request.POST.get("note", "").replace("\0", "")[:MAX_NOTE]
    message = ""
    try:
        match request.POST.get("act"):
            case "approve":
                approval.apply(shown, approver=request.user)
                message = "Change approved and published."
            case "reject":
                proposals.reject(shown, actor=request.user.actor, note=note)
                message = "Change rejected."
            case "withdraw":
                proposals.withdraw(shown, actor=request.user.actor)
                message = "Change withdrawn."
            case _:
                return HttpResponse(status=400)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, message)
    return redirect(console_url(request.page, "proposal", public_id))


def lines_of(proposal: Proposal) -> list[AuditLine]:
    """Return the changes as sentences with old and new values, as the audit log shows them."""
    by_author = {"actor_kind": proposal.author_kind, "actor_label": proposal.author_label}
    entries = [
        AuditEntry(page=proposal.page, created_at=proposal.created_at, **by_author, **change)
        for change in proposal.changes
    ]
    return [_with_title(line, proposal) for line in lines(proposal.page, entries)]


def _with_title(line: AuditLine, proposal: Proposal) -> AuditLine:
    """Name what does not exist yet by its title, and leave out the time at which the change was tried."""
    entry = line.entry
    title = entry.details.get("title") or entry.details.get("created")
    before = line.before.replace(f"{entry.object_type} {entry.object_ref}", f"“{title}”") if title else line.before
    details = [row for row in line.details if row[0] != "Display at" or not _is_now(row[2], proposal)]
    return replace(line, before=before, details=details)


def _is_now(text: str, proposal: Proposal) -> bool:
    return abs(datetime.fromisoformat(text) - proposal.created_at) < timedelta(minutes=1)


def _proposal(request: StaffRequest, public_id: str) -> Proposal:
    return get_object_or_404(Proposal.objects.of_page(request.page), public_id=public_id)
