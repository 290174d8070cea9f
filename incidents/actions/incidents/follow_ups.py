"""What readers are told after the end: that the work which a postmortem promised is done."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from incidents.actions import _updates
from incidents.actor import Actor
from incidents.models import EventKind, Incident, IncidentUpdate, Postmortem


@transaction.atomic
def follow_up(
    incident: Incident,
    *,
    body: str,
    actor: Actor,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
    submission_key: str = "",
) -> IncidentUpdate:
    """An update to what is over. It stays resolved, since when it was; no component changes."""
    update = _updates.post(
        incident,
        EventKind.INCIDENT_UPDATED,
        status=incident.status,
        body=body,
        actor=actor,
        notify=notify,
        at=at,
        expected_version=expected_version,
        submission_key=submission_key,
        after_the_end=True,
    )
    Postmortem.objects.filter(incident=incident).update(followed_up_at=timezone.now())
    return update


def text_of(postmortem: Postmortem) -> str:
    """A proposal: everything that was done, item by item."""
    done = "\n".join(f"- {item.text}" for item in postmortem.action_items.all())
    return f"Everything that the postmortem of this incident promised is done:\n\n{done}"
