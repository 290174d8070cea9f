"""The title, impact, metadata and reminder settings of an incident."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.html import format_html

from incidents import clock
from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.maintenances._affected import name_components
from incidents.actor import Actor
from incidents.models import AffectedComponent, Component, EventKind, Incident, IncidentUpdate, Revision
from incidents.models.states import Kind
from incidents.status import impact_of

MAX_METADATA = 20_000  # characters of JSON
HOURS = range(1, 25)


@transaction.atomic
def edit_details(
    incident: Incident,
    *,
    actor: Actor,
    title: str | None = None,
    impact_override: str | None = None,
    metadata: dict[str, Any] | None = None,
    reminder_intervals: str | None = None,
    components: Sequence[Component] = (),
    expected_version: int | None = None,
) -> Incident:
    """Change what is given; None leaves it, an empty `impact_override` derives the impact again from the components.

    `components`: further ones that it concerns; their status does not change, and they are named by its newest update.
    Nobody is told. ValidationError fields: title, impact, metadata, reminder_intervals, components.
    """
    changes = _changes(incident, title, impact_override, metadata, reminder_intervals)
    named = set(Component.objects.affected_by(incident))
    new = [component for component in components if component not in named]
    if not changes and not new:
        return incident
    take_version(incident, expected_version)
    if new:
        name_components(incident.updates.newest_first()[0], new)
    if "impact_override" in changes and incident.kind == Kind.INCIDENT:
        changes["impact"] = changes["impact_override"] or derived_impact(incident)
    before = {name: getattr(incident, name) for name in changes}
    if "title" in changes:
        _keep_old_title(incident, changes["title"], actor)
    for name, value in changes.items():
        setattr(incident, name, value)
    incident.updated_at = clock.now()
    incident.save(update_fields=[*changes, "updated_at"])
    details = {**changes, "components": [component.full_name for component in new], "before": before}
    record(incident.page, EventKind.INCIDENT_CHANGED, incident, actor=actor, details=details, incident=incident)
    return incident


def _keep_old_title(incident: Incident, title: str, actor: Actor) -> None:
    """Visitors see what it was called: beside its first update, which is where that was said."""
    first = incident.updates.oldest_first().first()
    if first is None:
        return
    change = format_html("Title corrected from <del>{}</del> to <ins>{}</ins>.", incident.title, title)
    Revision.objects.create(update=first, body=first.body, change_html=change, actor_label=actor.label)
    IncidentUpdate.objects.filter(pk=first.pk).update(edited_at=clock.now())


def check_metadata(metadata: dict[str, Any]) -> dict[str, Any]:
    """Objects by their names, not too much of them (contract section 3.4)."""
    if any(not isinstance(value, dict) for value in metadata.values()):
        raise ValidationError({"metadata": "Every value at the top level of the metadata must be an object."})
    if len(json.dumps(metadata)) > MAX_METADATA:
        raise ValidationError({"metadata": f"The metadata is limited to {MAX_METADATA:,} characters of JSON."})
    return metadata


def check_reminder_intervals(text: str) -> str:
    """`[1, 5, 7]`: after so many hours; `4`: every four hours; `[]`: never; empty: the default."""
    try:
        value = json.loads(text) if text else None
    except ValueError:
        value = text
    hours = value if isinstance(value, list) else [value]
    are_hours = all(isinstance(hour, int) and not isinstance(hour, bool) and hour in HOURS for hour in hours)
    if value is None or (are_hours and hours == sorted(set(hours))):
        return json.dumps(value) if text else ""
    raise ValidationError(
        {"reminder_intervals": "Use hours from 1 to 24: “[1, 5, 7]” for these, “4” for every fourth, “[]” for none."}
    )


def _changes(
    incident: Incident,
    title: str | None,
    impact_override: str | None,
    metadata: dict[str, Any] | None,
    reminder_intervals: str | None,
) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if title is not None:
        given["title"] = checks.title(title)
    if impact_override is not None:
        given["impact_override"] = checks.impact(impact_override)
    if metadata is not None:
        given["metadata"] = check_metadata(metadata)
    if reminder_intervals is not None:
        given["reminder_intervals"] = check_reminder_intervals(reminder_intervals)
    return {name: value for name, value in given.items() if value != getattr(incident, name)}


def derived_impact(incident: Incident) -> str:
    return impact_of(AffectedComponent.objects.filter(update__incident=incident).values_list("new_status", flat=True))
