"""Templates."""

from incidents.models import (
    IncidentTemplate,
    Page,
)
from statuspage.api.schemas.templates import TemplateOut
from statuspage.api.shapes.components import component_out


def template_out(page: Page, template: IncidentTemplate) -> TemplateOut:
    return TemplateOut(
        id=template.public_id,
        components=[component_out(page, one) for one in template.components.all()],
        name=template.name,
        title=template.title,
        body=template.body,
        group_id=template.group_label or None,
        update_status=template.update_status or None,
        should_send_notifications=template.should_send_notifications,
    )
