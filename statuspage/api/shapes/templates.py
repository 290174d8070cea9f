"""Templates."""

from incidents.models import (
    IncidentTemplate,
    Page,
)
from statuspage.api.schemas.templates import TemplateOut
from statuspage.api.shapes.components import component_out


def template_out(page: Page, preset: IncidentTemplate) -> TemplateOut:
    return TemplateOut(
        id=preset.public_id,
        components=[component_out(page, one) for one in preset.components.all()],
        name=preset.name,
        title=preset.title,
        body=preset.body,
        group_id=preset.group_label or None,
        update_status=preset.update_status or None,
        should_send_notifications=preset.should_send_notifications,
    )
