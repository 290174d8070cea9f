"""The texts that incidents are started from. Visitors never see them, so nobody is told of a change."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record
from incidents.actor import Actor
from incidents.models import Component, EventKind, IncidentTemplate, Page
from incidents.models.states import Status
from incidents.text import default_templates, markdown


def create_incident_template(
    page: Page, *, name: str, title: str, body: str, actor: Actor, components: Sequence[Component] = (), **more: Any
) -> IncidentTemplate:
    """`more`: update_status, should_send_notifications, group_label. ValidationError names the field."""
    preset = IncidentTemplate(page=page)
    return _save(preset, "created", actor, {"name": name, "title": title, "body": body, **more}, components)


def edit_incident_template(
    preset: IncidentTemplate, *, actor: Actor, components: Sequence[Component] | None = None, **changes: Any
) -> IncidentTemplate:
    """`changes`: fields by name. `components` None leaves them."""
    return _save(preset, "changed", actor, changes, components)


@transaction.atomic
def create_built_in_templates(page: Page, *, actor: Actor) -> int:
    """The presets that a new page begins with, but for those whose names are taken; how many were added."""
    taken = set(page.incident_templates.values_list("name", flat=True))
    missing = [preset for preset in default_templates.DEFAULT_TEMPLATES if preset.name not in taken]
    for preset in missing:
        create_incident_template(
            page,
            name=preset.name,
            title=preset.title,
            body=preset.body,
            update_status=preset.status,
            group_label=preset.group,
            actor=actor,
        )
    return len(missing)


@transaction.atomic
def delete_incident_template(preset: IncidentTemplate, *, actor: Actor) -> None:
    record(preset.page, EventKind.INCIDENT_TEMPLATES_CHANGED, preset, actor=actor, details={"deleted": preset.name})
    preset.delete()


def _save(
    preset: IncidentTemplate, verb: str, actor: Actor, fields: dict[str, Any], components: Sequence[Component] | None
) -> IncidentTemplate:
    for field, value in fields.items():
        setattr(preset, field, _checked(field, value))
    preset.updated_at = timezone.now()
    try:
        with transaction.atomic():
            preset.save()
            if components is not None:
                preset.components.set(checks.components(preset.page, {one: one.status for one in components}))
            record(preset.page, EventKind.INCIDENT_TEMPLATES_CHANGED, preset, actor=actor, details={verb: preset.name})
    except IntegrityError:
        raise ValidationError({"name": f"There is a template named “{preset.name}” already."}) from None
    return preset


def _checked(field: str, value: Any) -> Any:
    if field == "body":
        try:
            return markdown.check_size(value)
        except ValidationError as error:
            raise ValidationError({"body": error.messages}) from None
    if field in ("name", "title"):
        return checks.line(value, field=field, what=f"The {field}")
    if field == "update_status" and value and value not in Status.values:
        raise ValidationError({"update_status": f"“{value}” is not a status. Use one of: {', '.join(Status.values)}."})
    return value.strip() if field == "group_label" else value
