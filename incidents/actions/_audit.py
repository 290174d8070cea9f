"""Record what an action did: an AuditEntry (who did what), and an Event (what other parts of Candor react to)."""

from typing import Any

from django.db.models import F, Model

from incidents import clock
from incidents.actor import SYSTEM, Actor
from incidents.errors import ApprovalRequired, EditConflict
from incidents.models import AuditEntry, Event, EventKind, Page
from incidents.models.event_kinds import PROPERTIES


def record(
    page: Page,
    kind: EventKind,
    instance: Model,
    *,
    actor: Actor,
    notify: bool = False,
    details: dict[str, Any] | None = None,
    changes_text: bool = True,
    **about: Model | str | None,
) -> Event:
    """Write the audit entry and the event, and update the page's `updated_at`.

    about: the incident, update, postmortem or component of the event, and the old and new status of a component.
    Raise ApprovalRequired if the page's rules require a second person's approval of this kind of change, and `actor`
    does not have it. `changes_text` False: it needs none. This is the only place that decides it, so that no interface
    can avoid it.
    """
    if changes_text and page.requires_approval and PROPERTIES[kind].needs_approval:
        _check_approved(page, actor)
        if PROPERTIES[kind].priority is not None:
            # The reviewer decides about this too.
            details = {**(details or {}), "notifies_subscribers": notify}
    audit(page, kind.value, instance, actor=actor, details=details)
    Page.objects.filter(pk=page.pk).update(updated_at=clock.now())
    return Event.objects.create(page=page, kind=kind, notify=notify, created_at=clock.now(), **about)


def _check_approved(page: Page, actor: Actor) -> None:
    if actor != SYSTEM and not actor.approver:
        raise ApprovalRequired(page)


def audit(page: Page, verb: str, instance: Model, *, actor: Actor, details: dict[str, Any] | None = None) -> None:
    """Write only the audit entry, for changes that no other part of Candor reacts to."""
    AuditEntry.objects.create(
        page=page,
        actor_kind=actor.kind,
        actor_ref=actor.ref,
        actor_label=actor.label,
        verb=verb,
        object_type=instance._meta.model_name or "",
        object_ref=str(getattr(instance, "public_id", instance.pk)),
        details=(details or {}) | ({"approved_by": actor.approver} if actor.approver else {}),
    )


def take_version(instance: Model, expected: int | None) -> None:
    """Lock `instance` and increment its version. Raise EditConflict if it is not `expected`; None accepts any."""
    rows = type(instance)._default_manager.filter(pk=instance.pk)
    if expected is not None:
        rows = rows.filter(version=expected)
    if not rows.update(version=F("version") + 1, updated_at=clock.now()):
        raise EditConflict(type(instance)._default_manager.get(pk=instance.pk))
    instance.refresh_from_db()
