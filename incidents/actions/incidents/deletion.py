"""Delete and restore incidents. A deleted incident is hidden from visitors; its rows and audit entries stay."""

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.incidents import component_corrections
from incidents.actions.incidents.incident_lifecycle import hide
from incidents.actor import Actor
from incidents.models import Component, EventKind, Incident


@transaction.atomic
def delete(incident: Incident, *, reason: str, correct_history: bool, actor: Actor) -> list[Component]:
    """Take `incident` off every public page and out of the open ones.

    With `correct_history` its components have the statuses that they would have had without it, now too. Returns those
    whose history changed. ValidationError for `reason`: missing.
    """
    if incident.hidden_at:
        raise ValidationError({"reason": "This incident is already deleted."})
    hide(incident, actor=actor, reason=reason)
    return component_corrections.without(incident, actor=actor, reason=reason) if correct_history else []


@transaction.atomic
def restore(incident: Incident, *, reason: str, actor: Actor) -> Incident:
    """Bring back what was deleted or joined with another. Component history stays as it is now."""
    reason = checks.line(reason, field="reason", what="The reason")
    take_version(incident, None)
    if incident.hidden_at is None:
        raise ValidationError({"reason": "This incident is already on the page."})
    was = incident.merged_into
    incident.hidden_at, incident.merged_into, incident.updated_at = None, None, clock.now()
    incident.save(update_fields=["hidden_at", "merged_into", "updated_at"])
    details = {"reason": reason, "was_merged_into": was.public_id if was else ""}
    record(incident.page, EventKind.INCIDENT_RESTORED, incident, actor=actor, details=details, incident=incident)
    return incident
