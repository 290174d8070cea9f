"""Proposals: changes that wait for a second person's approval. Each action is one transaction with an audit entry."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from incidents.actions._audit import audit
from incidents.actor import Actor
from incidents.models import AuditEntry, Incident, Page, Proposal, ProposalState

OWN_CHANGE = "You proposed this change, so another person has to approve it."
DECIDED = "This change was already approved, rejected or withdrawn."
OUTDATED = "The text was changed after this change was proposed. Review the change again."

# Details of audit entries that name the text or value that a change replaces.
_REPLACED = ("old", "before", "old_time", "was_merged_into")


def describe(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """Return what a proposal shows of these audit entries."""
    return [
        {
            "verb": entry.verb,
            "object_type": entry.object_type,
            "object_ref": entry.object_ref,
            "details": {name: value for name, value in entry.details.items() if name != "approved_by"},
        }
        for entry in entries
    ]


@transaction.atomic
def propose(
    page: Page,
    *,
    author: Actor,
    request: Mapping[str, str],
    changes: Sequence[dict[str, Any]],
    incident: Incident | None = None,
) -> Proposal:
    """Store a change for approval. A repeated request returns the proposal that waits already."""
    digest = sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    # Locked, so that a double click makes one proposal.
    Page.objects.select_for_update(no_key=True).get(pk=page.pk)
    if earlier := Proposal.objects.same(page, author, digest):
        return earlier
    proposal = Proposal.objects.create(
        page=page,
        incident=incident,
        author_kind=author.kind,
        author_ref=author.ref,
        author_label=author.label,
        owner_ref=author.owner_ref,
        request=dict(request),
        digest=digest,
        changes=list(changes),
    )
    _audit(proposal, "proposal.submitted", author)
    return proposal


def approve(proposal: Proposal, *, actor: Actor) -> Proposal:
    """Mark it as approved. Call it in the transaction that applies the change. ValidationError if `actor` may not."""
    row = _locked(proposal)
    if actor.kind != "user" or actor.person_key == row.author.person_key:
        raise ValidationError(OWN_CHANGE)
    return _decided(row, ProposalState.APPROVED, actor)


@transaction.atomic
def reject(proposal: Proposal, *, actor: Actor, note: str = "") -> Proposal:
    return _decided(_locked(proposal), ProposalState.REJECTED, actor, note=note)


@transaction.atomic
def withdraw(proposal: Proposal, *, actor: Actor) -> Proposal:
    row = _locked(proposal)
    if actor.person_key != row.author.person_key:
        raise ValidationError("Only its author can withdraw a change.")
    return _decided(row, ProposalState.WITHDRAWN, actor)


def check_unchanged(proposal: Proposal, changes: Sequence[dict[str, Any]]) -> None:
    """ValidationError if applying it replaced another text than the reviewer saw."""
    if [_replaced(change) for change in changes] != [_replaced(change) for change in proposal.changes]:
        raise ValidationError(OUTDATED)


def refresh(proposal: Proposal, changes: Sequence[dict[str, Any]]) -> None:
    """Show what the proposal would change now."""
    Proposal.objects.waiting().filter(pk=proposal.pk).update(changes=list(changes))


def _replaced(change: Mapping[str, Any]) -> list[object]:
    return [change["verb"], *(change["details"].get(name) for name in _REPLACED)]


def _locked(proposal: Proposal) -> Proposal:
    rows = Proposal.objects.select_related("page").select_for_update(of=("self",))
    row = rows.filter(pk=proposal.pk, state=ProposalState.REVIEW).first()
    if row is None:
        raise ValidationError(DECIDED)
    return row


def _decided(row: Proposal, state: ProposalState, actor: Actor, *, note: str = "") -> Proposal:
    row.state, row.note, row.decided_label, row.decided_at = state, note.strip(), actor.label, timezone.now()
    row.save(update_fields=["state", "note", "decided_label", "decided_at"])
    _audit(row, f"proposal.{state.value}", actor, note=row.note)
    return row


def _audit(proposal: Proposal, verb: str, actor: Actor, **details: str) -> None:
    about = {"author": proposal.author_label, "changes": [change["verb"] for change in proposal.changes]}
    audit(proposal.page, verb, proposal, actor=actor, details=about | details)
