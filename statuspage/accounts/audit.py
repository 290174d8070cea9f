"""Audit log entries about people and subscribers.

They contain no email addresses because they are never deleted. Those about sign-ins contain the network address.
"""

from typing import Any

from incidents.actor import Actor
from incidents.models import AuditEntry, Page


def note(page: Page, verb: str, *, actor: Actor, object_type: str, object_ref: str, **details: Any) -> None:
    """Create an entry. Call this in the same transaction as the change that it records."""
    AuditEntry.objects.create(
        page=page,
        actor_kind=actor.kind,
        actor_ref=actor.ref,
        actor_label=actor.label,
        verb=verb,
        object_type=object_type,
        object_ref=object_ref,
        details=details,
    )
