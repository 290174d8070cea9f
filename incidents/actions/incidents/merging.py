"""Merge a duplicate into another incident. The duplicate keeps its rows, and its URL redirects to the other one."""

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.maintenances._affected import name_components
from incidents.actor import Actor
from incidents.models import Component, EventKind, Incident


@transaction.atomic
def merge(duplicate: Incident, *, into: Incident, reason: str, actor: Actor) -> Incident:
    """`into` tells the story of `duplicate` too, which leaves the page; returns `into`.

    Components that only the duplicate named are named by the kept one's newest update; their status and history do not
    change. Whatever was joined with the duplicate before leads to the kept one. ValidationError fields: reason, into.
    """
    reason = checks.line(reason, field="reason", what="The reason")
    first, second = sorted((duplicate, into), key=lambda incident: incident.pk)
    for incident in (first, second):
        take_version(incident, None)
    _check_pair(duplicate, into)
    named = set(Component.objects.affected_by(into))
    new = [component for component in Component.objects.active().affected_by(duplicate) if component not in named]
    if new and not into.is_maintenance:
        name_components(into.updates.newest_first()[0], new)
    now = clock.now()
    Incident.objects.merged_into_any([duplicate.pk]).update(merged_into=into, updated_at=now)
    duplicate.merged_into, duplicate.hidden_at, duplicate.updated_at = into, now, now
    duplicate.save(update_fields=["merged_into", "hidden_at", "updated_at"])
    about = {"reason": reason, "kept": into.public_id, "kept_title": into.title, "merged_title": duplicate.title}
    for incident in (duplicate, into):
        details = {**about, "merged": duplicate.public_id, "components": [component.full_name for component in new]}
        record(into.page, EventKind.INCIDENT_MERGED, incident, actor=actor, details=details, incident=incident)
    return into


def _check_pair(duplicate: Incident, into: Incident) -> None:
    """Read under the lock."""
    if duplicate.pk == into.pk:
        raise ValidationError({"into": "An incident cannot be merged into itself."})
    if duplicate.page_id != into.page_id or duplicate.kind != into.kind:
        raise ValidationError({"into": "Only incidents of the same page, or two maintenances, can be merged."})
    if into.hidden_at:
        raise ValidationError({"into": f"“{into.title}” was deleted. Restore it first, or choose another."})
    if duplicate.hidden_at:
        raise ValidationError({"into": "This incident is deleted. Restore it first."})
