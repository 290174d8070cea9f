from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from incidents.models import Component, ComponentGroup, Page
from incidents.models.states import ComponentStatus
from statuspage.console.action_form import ActionForm

MAX_DESCRIPTION = 1000
MAX_NOTE = 500


class NamedForm(ActionForm):
    """The fields of components and groups. The actions validate the name."""

    name = forms.CharField(
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}),
    )
    description = forms.CharField(
        required=False, max_length=MAX_DESCRIPTION, widget=forms.Textarea(attrs={"rows": 2}), help_text="Optional."
    )


class ComponentForm(NamedForm):
    only_show_if_degraded = forms.BooleanField(
        label="Show only when not operational",
        required=False,
        help_text="For components that matter to visitors only during an outage.",
    )
    showcase = forms.BooleanField(
        label="Show uptime",
        required=False,
        initial=True,
        help_text="Shows the 90-day bar and the uptime calendar. History is recorded even when this is off.",
    )
    start_date = forms.DateField(
        label="Running since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="The status history starts on this day, as operational. Leave empty for today.",
    )
    field_order = ("name", "group", "description", "only_show_if_degraded", "showcase", "start_date")

    def __init__(self, data: Any = None, *, page: Page, component: Component | None = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.page, self.component = page, component
        self.fields["group"] = forms.ModelChoiceField(
            queryset=page.groups.all(), to_field_name="public_id", required=False, empty_label="No group"
        )
        self.order_fields(self.field_order)
        if component:
            # The start date cannot change later, because uptime is calculated from it.
            del self.fields["start_date"]

    def clean(self) -> dict[str, Any]:
        """Reject a name that is in use, so that a double click on “Add” does not create two components."""
        cleaned = super().clean() or {}
        group, name = cleaned.get("group"), cleaned.get("name", "").strip().casefold()
        others = [other for other in self.page.components.active() if other != self.component]
        if any(other.name.casefold() == name for other in others if other.group_id == _pk(group)):
            where = f"Group “{group}”" if group else "The page"
            self.add_error("name", f"{where} already has a component with this name.")
        return cleaned


class GroupForm(NamedForm):
    def __init__(self, data: Any = None, *, page: Page, group: ComponentGroup | None = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.page, self.group = page, group

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name = cleaned.get("name", "").strip().casefold()
        if any(group != self.group and group.name.casefold() == name for group in self.page.groups.all()):
            self.add_error("name", "A group with this name already exists.")
        return cleaned


class StatusesForm(ActionForm):
    """One status for several components: `chosen` holds public ids of components, `groups` those of groups."""

    status = forms.ChoiceField(
        label="New status",
        choices=[("", "Choose a status"), *ComponentStatus.choices],
        error_messages={"required": "Choose a status."},
    )
    note = forms.CharField(
        label="Note for the audit log",
        required=False,
        max_length=MAX_NOTE,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Note for the audit log (optional)"}),
    )

    def __init__(self, data: QueryDict | None = None, *, components: Iterable[Component]) -> None:
        super().__init__(data)
        self.active = [component for component in components if component.archived_at is None]
        self.selected = {*data.getlist("chosen"), *data.getlist("groups")} if data else set()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.selected - {public_id for component in self.active for public_id in _public_ids(component)}:
            raise ValidationError("One of the selected components no longer exists. Review your selection.")
        cleaned["components"] = [component for component in self.active if self.selected & _public_ids(component)]
        if not cleaned["components"]:
            raise ValidationError("Select at least one component.")
        return cleaned

    @property
    def done(self) -> str:
        """The success message."""
        components = self.cleaned_data["components"]
        name = f"{len(components)} components" if len(components) > 1 else components[0].name
        return f"{name} set to {ComponentStatus(self.cleaned_data['status']).label}."


def _public_ids(component: Component) -> set[str]:
    """Return the public ids that select the component: its own and its group's."""
    return {component.public_id, component.group.public_id} if component.group else {component.public_id}


def _pk(group: ComponentGroup | None) -> int | None:
    return group.pk if group else None
