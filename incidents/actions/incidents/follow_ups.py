"""Updates to an incident that is over, usually because the action items of its postmortem are complete."""

from incidents import clock
from incidents.actions import checks
from incidents.actions._updates import lock_for_follow_up, once_per_submission, post
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.models import EventKind, Incident, IncidentUpdate, Postmortem


@once_per_submission
def follow_up(incident: Incident, update_input: UpdateInput, *, actor: Actor) -> IncidentUpdate:
    """Add an update to an incident that is over. Its status, resolution time and components do not change."""
    text, status = checks.body(update_input.body), incident.status
    at = lock_for_follow_up(incident, update_input, status=status)
    kind = EventKind.MAINTENANCE_UPDATED if incident.is_maintenance else EventKind.INCIDENT_UPDATED
    notify = update_input.notifies()
    update = post(incident, kind, update_input, text=text, status=status, at=at, notify=notify, actor=actor)
    Postmortem.objects.filter(incident=incident).update(followed_up_at=clock.now())
    return update


def text_of(postmortem: Postmortem) -> str:
    """A proposal: everything that was done, item by item."""
    done = "\n".join(f"- {item.text}" for item in postmortem.action_items.all())
    return f"Everything that the postmortem of this incident promised is done:\n\n{done}"
