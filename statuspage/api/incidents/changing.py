"""What a PATCH of an incident means, in the domain's verbs: one request may be several (docs/api.md)."""

from typing import Any

from django.core.exceptions import ValidationError

from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actor import Actor
from incidents.models import Incident
from incidents.models.states import Status
from incidents.text import wording
from statuspage.api.errors import rename_fields
from statuspage.api.incidents.asking import NAMES, Statuses, mark, statuses_of
from statuspage.api.incidents.planning import change_plan, moves_on, post_step
from statuspage.api.schemas.incidents import IncidentIn


def change(incident: Incident, asked: IncidentIn, *, actor: Actor) -> Incident:
    """Its marks, its window and switches, then an update if there is one to post."""
    with rename_fields(**NAMES):
        statuses = statuses_of(incident.page, asked)
        said = incident.is_maintenance and change_plan(incident, asked, statuses, actor)
        if _says_something(incident, asked, statuses, said=said):
            _post(incident, asked, statuses, actor)
        incident.refresh_from_db()
        return mark(incident, asked, actor, title=asked.name, further=list(statuses))


def _says_something(incident: Incident, asked: IncidentIn, statuses: Statuses, *, said: bool) -> bool:
    """Whether an update is to be posted. `said`: the text was."""
    if moves_on(incident, asked) or (asked.text.strip() and not said):
        return True
    sets = {component: new for component, new in statuses.items() if new != component.status}
    return bool(sets) and not incident.is_upcoming


def _post(incident: Incident, asked: IncidentIn, statuses: Statuses, actor: Actor) -> None:
    status = asked.status or incident.status
    common: dict[str, Any] = {"body": asked.text, "actor": actor, "notify": asked.deliver_notifications is not False}
    if incident.is_maintenance:
        post_step(incident, status, statuses, common)
        return
    common["body"] = asked.text or wording.BY_STATUS[Status(status)]
    if status == Status.RESOLVED and not incident.is_resolved:
        actions.resolve(incident, restore=statuses or None, **common)
    elif incident.is_resolved and status != Status.RESOLVED:
        actions.reopen(incident, status=status, components=statuses or None, **common)
    else:
        _refuse_after_the_end(incident)
        actions.post_update(incident, status=status, components=statuses or None, **common)


def _refuse_after_the_end(incident: Incident) -> None:
    if incident.is_resolved:
        raise ValidationError({"status": "This incident is resolved. Send another status to take it up again."})
