from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.models import Component, ComponentGroup, Page

MAX_DESCRIPTION = 1000


class NamedForm(forms.Form):
    """What a component and a group have in common. The name is checked by the actions."""

    name = forms.CharField(
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}),
    )
    description = forms.CharField(
        required=False, max_length=MAX_DESCRIPTION, widget=forms.Textarea(attrs={"rows": 2}), help_text="Optional."
    )

    def refuse(self, error: ValidationError) -> None:
        """Show an action's refusal beside the field it names."""
        for field, messages in error.message_dict.items():
            self.add_error(field if field in self.fields else None, list(messages))


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


def _pk(group: ComponentGroup | None) -> int | None:
    return group.pk if group else None
