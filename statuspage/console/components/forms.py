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
    """What a component and a group have in common. The name is checked by the actions."""

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
        label="Show it only when it is not operational",
        required=False,
        help_text="For parts that visitors need to know of only while they fail.",
    )
    showcase = forms.BooleanField(
        label="Show its uptime",
        required=False,
        initial=True,
        help_text="The last 90 days beside its name, and its calendar. Its history is kept either way.",
    )
    start_date = forms.DateField(
        label="Running since",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Its history begins here, as operational. Empty: today.",
    )
    field_order = ("name", "group", "description", "only_show_if_degraded", "showcase", "start_date")

    def __init__(self, data: Any = None, *, page: Page, component: Component | None = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.page, self.component = page, component
        self.fields["group"] = forms.ModelChoiceField(
            queryset=page.groups.all(), to_field_name="public_id", required=False, empty_label="None: on its own"
        )
        self.order_fields(self.field_order)
        if component:
            # When its history begins is decided once: uptime is computed from it.
            del self.fields["start_date"]

    def clean(self) -> dict[str, Any]:
        """A double click on “Add” must not make two; nobody could tell them apart anyway."""
        cleaned = super().clean() or {}
        group, name = cleaned.get("group"), cleaned.get("name", "").strip().casefold()
        others = [one for one in self.page.components.active() if one != self.component and one.group_id == _pk(group)]
        if any(one.name.casefold() == name for one in others):
            where = f"The group “{group}”" if group else "The page"
            self.add_error("name", f"{where} already has a component with this name.")
        return cleaned


class GroupForm(NamedForm):
    def __init__(self, data: Any = None, *, page: Page, group: ComponentGroup | None = None, **more: Any) -> None:
        super().__init__(data, **more)
        self.page, self.group = page, group

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name = cleaned.get("name", "").strip().casefold()
        if any(one != self.group and one.name.casefold() == name for one in self.page.groups.all()):
            self.add_error("name", "There is already a group with this name.")
        return cleaned


class StatusesForm(ActionForm):
    """One status for all that is ticked: `chosen` holds the public ids of components, `groups` those of groups."""

    status = forms.ChoiceField(
        label="New status",
        choices=[("", "Choose a status"), *ComponentStatus.choices],
        error_messages={"required": "Choose the status that they get."},
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
        self.ticked = {*data.getlist("chosen"), *data.getlist("groups")} if data else set()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.ticked - {code for one in self.active for code in _codes(one)}:
            raise ValidationError("Something that you ticked has left the page meanwhile. Please look again.")
        cleaned["components"] = [one for one in self.active if self.ticked & _codes(one)]
        if not cleaned["components"]:
            raise ValidationError("Tick at least one component.")
        return cleaned

    @property
    def done(self) -> str:
        """What to say afterwards."""
        components = self.cleaned_data["components"]
        who = f"{len(components)} components are" if len(components) > 1 else f"{components[0].name} is"
        return f"{who} now {ComponentStatus(self.cleaned_data['status']).label}."


def _codes(component: Component) -> set[str]:
    """What stands for it: its own public id and its group's."""
    return {component.public_id, component.group.public_id} if component.group else {component.public_id}


def _pk(group: ComponentGroup | None) -> int | None:
    return group.pk if group else None
