"""The audit log's entries about people and subscribers. They name no addresses: they are kept for ever."""

from typing import Any

from incidents.actor import Actor
from incidents.models import AuditEntry, Page


def note(page: Page, verb: str, *, actor: Actor, object_type: str, object_ref: str, **details: Any) -> None:
    """Call it in the transaction of what it tells of."""
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
