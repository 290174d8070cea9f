"""The form of an incident template, and filling the form of a message from a template."""

from typing import Any

from django import forms

from incidents import clock
from incidents.models import Component, Incident, IncidentTemplate, Page
from incidents.models.states import INCIDENT_STATUSES, MAINTENANCE_STATUSES, ComponentStatus, Kind
from incidents.text.placeholders import fill
from incidents.text.wording import duration_text, moment_text
from statuspage.console.components.forms import NamedForm
from statuspage.console.fields import PREFIX, fill_in

STATUSES = [
    ("", "Unchanged"),
    ("Incident", [(status.value, status.label) for status in INCIDENT_STATUSES]),
    ("Maintenance", [(status.value, status.label) for status in MAINTENANCE_STATUSES]),
]


class IncidentTemplateForm(NamedForm):
    """An incident template. The actions validate its texts."""

    description = None  # type: ignore[assignment]
    group_label = forms.CharField(
        label="Group", required=False, max_length=100, help_text="Templates are listed by group."
    )
    update_status = forms.ChoiceField(label="Status", required=False, choices=STATUSES)
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"maxlength": 255}))
    body = forms.CharField(
        label="Message",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="Markdown. {{component}}, {{components}}, {{started}}, {{title}}, {{page}}, {{now}} and {{duration}} "
        "are filled in when the template is used. The author must fill in any other {{word}} before publishing.",
    )
    should_send_notifications = forms.BooleanField(label="Notify subscribers", required=False, initial=True)

    def __init__(self, data: Any = None, *, page: Page, **more: Any) -> None:
        super().__init__(data, **more)
        self.fields["components"] = forms.ModelMultipleChoiceField(
            queryset=page.components.active().in_page_order(),
            to_field_name="public_id",
            required=False,
            widget=forms.CheckboxSelectMultiple,
            help_text="The template is listed first when one of these components is affected.",
        )

    def action_fields(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return {name: cleaned[name] for name in self.fields if name != "components"} | {
            "components": list(cleaned["components"])
        }


def fill_from_template(form: Any, template: IncidentTemplate, *, page: Page, incident: Incident | None = None) -> None:
    """Add the template's texts to the bound `form`. Text that its author typed is never lost or replaced."""
    placeholders = placeholder_values(form, page, incident)
    typed_body, text = str(form["body"].value() or ""), fill(template.body, placeholders)
    values = {"body": f"{typed_body.rstrip()}\n\n{text}" if typed_body.strip() else text}
    if "title" in form.fields and not str(form["title"].value() or "").strip():
        values["title"] = fill(template.title, placeholders)
    if "status" in form.fields and template.update_status in dict(form.fields["status"].choices):
        values["status"] = template.update_status
    values["notify"] = "on" if template.should_send_notifications else ""
    fill_in(form, **values)
    if incident is None and template.kind == Kind.INCIDENT and "components" in form.fields:
        add_components(form, list(template.components.all()))


def add_components(form: Any, components: list[Component]) -> None:
    """Select "Degraded performance" for the operational `components`. The author can change the status."""
    chosen = form["components"].value() or {}
    for component in components:
        if component.status == ComponentStatus.OPERATIONAL and component.public_id not in chosen:
            form.data = form.data.copy()
            form.data[f"{PREFIX}{component.public_id}"] = ComponentStatus.DEGRADED_PERFORMANCE.value


def placeholder_values(form: Any, page: Page, incident: Incident | None) -> dict[str, str]:
    """Return the values of the placeholders that the incident, or the form that declares one, provides."""
    now = clock.now()
    values = {"page": page.name, "now": moment_text(now, page.zone)}
    components = incident.affected_components() if incident else []
    if "components" in form.fields and (chosen := form["components"].value()) and hasattr(chosen, "keys"):
        components = [*components, *page.components.active().with_public_ids(list(chosen))]
    names = list(dict.fromkeys(component.name for component in components))
    if names:
        values |= {"component": names[0], "components": ", ".join(names)}
    if incident:
        values |= {"title": incident.title, "started": moment_text(incident.happened_at, page.zone)}
        values["duration"] = duration_text(now - incident.happened_at)
    return values
