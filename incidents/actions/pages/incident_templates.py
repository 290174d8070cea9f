"""Incident templates. They are not public, so no one is notified of a change."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from incidents import clock
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
    template = IncidentTemplate(page=page)
    return _save(template, "created", actor, {"name": name, "title": title, "body": body, **more}, components)


def edit_incident_template(
    template: IncidentTemplate, *, actor: Actor, components: Sequence[Component] | None = None, **changes: Any
) -> IncidentTemplate:
    """`changes`: fields by name. `components` None leaves them."""
    return _save(template, "changed", actor, changes, components)


@transaction.atomic
def create_built_in_templates(page: Page, *, actor: Actor) -> int:
    """Add the templates that a new page starts with, except those whose names are taken. Return how many were added."""
    taken = set(page.incident_templates.values_list("name", flat=True))
    missing = [template for template in default_templates.DEFAULT_TEMPLATES if template.name not in taken]
    for template in missing:
        create_incident_template(
            page,
            name=template.name,
            title=template.title,
            body=template.body,
            update_status=template.status,
            group_label=template.group,
            actor=actor,
        )
    return len(missing)


@transaction.atomic
def delete_incident_template(template: IncidentTemplate, *, actor: Actor) -> None:
    record(
        template.page,
        EventKind.INCIDENT_TEMPLATES_CHANGED,
        template,
        actor=actor,
        details={"deleted": template.name},
    )
    template.delete()


def _save(
    template: IncidentTemplate,
    verb: str,
    actor: Actor,
    fields: dict[str, Any],
    components: Sequence[Component] | None,
) -> IncidentTemplate:
    for field, value in fields.items():
        setattr(template, field, _checked(field, value))
    template.updated_at = clock.now()
    try:
        with transaction.atomic():
            template.save()
            if components is not None:
                template.components.set(
                    checks.components(template.page, {component: component.status for component in components})
                )
            record(
                template.page,
                EventKind.INCIDENT_TEMPLATES_CHANGED,
                template,
                actor=actor,
                details={verb: template.name},
            )
    except IntegrityError:
        raise ValidationError({"name": f"A template named “{template.name}” already exists."}) from None
    return template


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
