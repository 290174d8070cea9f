from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.models import EventKind, Incident, Postmortem
from incidents.text.wording import moment_text


@transaction.atomic
def set_impact_start(incident: Incident, at: datetime | None, *, actor: Actor) -> Incident:
    """Say when the impact really began, if it was before the first update; None takes that back.

    Analytics count from it. What the page showed stays as it was: status history is corrected by other actions.
    """
    locked = Incident.objects.select_for_update().get(pk=incident.pk)
    if at is not None:
        at = checks.moment(at, field="impact_started_at")
        if at > locked.started_at:
            first = moment_text(locked.started_at, locked.page.zone)
            message = f"Enter a time before the first update ({first})."
            raise ValidationError({"impact_started_at": message})
    old = locked.impact_started_at
    if at != old:
        locked.impact_started_at, locked.updated_at = at, clock.now()
        locked.save(update_fields=["impact_started_at", "updated_at"])
        # It is on the form of the postmortem too, where somebody may be writing.
        Postmortem.objects.filter(incident=locked).update(version=F("version") + 1)
        details = {"old": old and old.isoformat(), "new": at and at.isoformat()}
        record(locked.page, EventKind.IMPACT_START, locked, actor=actor, details=details, incident=locked)
    return locked
