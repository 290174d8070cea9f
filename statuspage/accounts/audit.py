"""Audit log entries about people and subscribers.

They contain no email addresses because they are never deleted. Those about sign-ins contain the network address.
"""

from typing import Any

from incidents.actor import Actor
from incidents.models import AuditEntry, Page


def entry(page_id: int, verb: str, *, actor: Actor, object_type: str, object_ref: str, **details: Any) -> AuditEntry:
    """Return an entry that is not saved yet."""
    return AuditEntry(
        page_id=page_id,
        actor_kind=actor.kind,
        actor_ref=actor.ref,
        actor_label=actor.label,
        verb=verb,
        object_type=object_type,
        object_ref=object_ref,
        details=details,
    )


def note(page: Page, verb: str, *, actor: Actor, object_type: str, object_ref: str, **details: Any) -> None:
    """Create an entry. Call this in the same transaction as the change that it records."""
    entry(page.pk, verb, actor=actor, object_type=object_type, object_ref=object_ref, **details).save()
