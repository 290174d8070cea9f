"""Correct which components an update or an incident affected, and recalculate their status history."""

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.html import format_html

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.components import status_history
from incidents.actions.incidents.attributes import derived_impact
from incidents.actor import Actor
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate, Revision
from incidents.models.states import ComponentStatus

Statuses = Mapping[Component, str]


@transaction.atomic
def correct_components(
    update: IncidentUpdate, statuses: Statuses, *, reason: str, actor: Actor, expected_version: int | None = None
) -> IncidentUpdate:
    """`update` named exactly `statuses`, whatever it names now: components are added, taken off, or had another status.

    Their history follows: a status holds from the update's time to the next change on record, and if it is newly named,
    at most to the end of the incident. Visitors see that it was corrected. ValidationError fields: reason, components.
    """
    reason = checks.line(reason, field="reason", what="The reason")
    take_version(update, expected_version)
    incident = Incident.objects.select_for_update(of=("self",)).select_related("page").get(pk=update.incident_id)
    if incident.is_maintenance:
        raise ValidationError({"components": "For a maintenance, correct the status history of the component instead."})
    update.incident = incident
    old = {row.component: row.new_status for row in update.affected.select_related("component__group")}
    new = _checked(incident, statuses, old)
    changed = {c: new.get(c, "") for c in {**old, **new} if old.get(c, "") != new.get(c, "")}
    if not changed:
        return update
    for component in _locked(changed):
        _say(update, component, changed[component])
        _refresh_old_statuses(incident, component)
        details = {"old": old.get(component, ""), "new": changed[component], "reason": reason}
        record(incident.page, EventKind.HISTORY_CORRECTED, component, actor=actor, details=details, component=component)
    _keep_old_components(update, old, new, actor)
    _recount_impact(incident)
    before_after = [{c.full_name: status for c, status in statuses.items()} for statuses in (old, new)]
    record(
        incident.page,
        EventKind.UPDATE_EDITED,
        update,
        actor=actor,
        details={"old_components": before_after[0], "new_components": before_after[1], "reason": reason},
        incident=incident,
        update=update,
    )
    return update


def without(incident: Incident, *, actor: Actor, reason: str) -> list[Component]:
    """The components of `incident` get the history that they would have had without it. Returns those that changed."""
    changed = []
    for component in _locked(Component.objects.affected_by(incident)):
        if status_history.withdraw(component, of=incident):
            changed.append(component)
            details = {"without": incident.public_id, "reason": reason.strip()}
            record(
                incident.page, EventKind.HISTORY_CORRECTED, component, actor=actor, details=details, component=component
            )
    return changed


def _checked(incident: Incident, statuses: Statuses, old: Statuses) -> dict[Component, str]:
    """Those that it names already may be archived meanwhile; new ones must be on the page."""
    for component, status in statuses.items():
        if status not in ComponentStatus.values:
            raise ValidationError({"components": f"“{status}” is not a component status."})
        if component.page_id != incident.page_id or (component.archived_at and component not in old):
            raise ValidationError({"components": f"“{component.name}” is no longer a component of this page."})
    return dict(statuses)


def _locked(components: Iterable[Component]) -> list[Component]:
    keys = [component.pk for component in components]
    rows = Component.objects.filter(pk__in=keys).select_related("group", "page")
    return list(rows.select_for_update(of=("self",)).order_by("pk"))


def _say(update: IncidentUpdate, component: Component, status: str) -> None:
    """An empty `status`: it says nothing of the component."""
    if not status:
        update.affected.filter(component=component).delete()
        status_history.withdraw(component, of=update)
        return
    status_history.restate(component, status, update=update, until=update.incident.resolved_at)
    AffectedComponent.objects.update_or_create(
        update=update, component=component, defaults={"new_status": status}, create_defaults=_fresh(update, status)
    )


def _fresh(update: IncidentUpdate, status: str) -> dict[str, str]:
    return {"old_status": status, "new_status": status}


def _refresh_old_statuses(incident: Incident, component: Component) -> None:
    rows = AffectedComponent.objects.filter(update__incident=incident, component=component).select_related("update")
    for row in rows:
        row.old_status = status_history.status_before(component, row.update.display_at)
        row.save(update_fields=["old_status"])


def _keep_old_components(update: IncidentUpdate, old: Statuses, new: Statuses, actor: Actor) -> None:
    change = format_html("Components corrected from <del>{}</del> to <ins>{}</ins>.", _words(old), _words(new))
    Revision.objects.create(update=update, body=update.body, change_html=change, actor_label=actor.label)
    update.edited_at = clock.now()
    update.save(update_fields=["edited_at"])


def _words(statuses: Statuses) -> str:
    named = sorted((c.full_name, ComponentStatus(status).label) for c, status in statuses.items())
    return ", ".join(f"{name}: {label}" for name, label in named) or "none"


def _recount_impact(incident: Incident) -> None:
    impact = incident.impact_override or derived_impact(incident)
    Incident.objects.filter(pk=incident.pk).update(impact=impact, updated_at=clock.now())
