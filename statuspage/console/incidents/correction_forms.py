from collections.abc import Iterable
from typing import Any

from django import forms
from django.http import QueryDict

from incidents.actions.incidents.backfilling import PastUpdate
from incidents.models import Component, Incident, IncidentUpdate, Page
from incidents.models.states import INCIDENT_STATUSES, ComponentStatus
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import ComponentChoice, ComponentStatusesField, MomentField, VersionField
from statuspage.console.incidents.forms import IMPACTS, new_key

MAX_UPDATES = 20


class CorrectionForm(ActionForm):
    """A form of the correction pages. The actions validate its values."""


def _reason(help_text: str) -> forms.CharField:
    return forms.CharField(
        label="Reason",
        required=False,
        max_length=255,
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=help_text,
    )


class DetailsForm(CorrectionForm):
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}))
    impact = forms.ChoiceField(
        choices=IMPACTS, required=False, help_text="Automatic: derived from the worst status of its components."
    )
    version = VersionField()

    def __init__(self, data: Any = None, *, incident: Incident) -> None:
        initial = {"title": incident.title, "impact": incident.impact_override, "version": incident.version}
        super().__init__(data, initial=initial)
        if incident.is_maintenance:
            del self.fields["impact"]


class ReasonForm(CorrectionForm):
    reason = _reason("Recorded in the audit log. Not shown to visitors.")


class DeleteForm(ReasonForm):
    correct_history = forms.BooleanField(
        label="Also correct the status history of its components",
        required=False,
        help_text="Removes its effect on the status history, the current statuses and the uptime of the components.",
    )


class MergeForm(ReasonForm):
    into = forms.CharField(label="Merge into", required=False, max_length=12)

    def __init__(self, data: Any = None, *, others: Iterable[Incident]) -> None:
        super().__init__(data)
        self.others = list(others)

    @property
    def chosen(self) -> str:
        return str(self["into"].value() or "")


class WithComponentStatuses(CorrectionForm):
    component_field: ComponentStatusesField

    @property
    def component_groups(self) -> list[tuple[str, list[ComponentChoice]]]:
        return self.component_field.grouped(self["components"].value())


class UpdateComponentsForm(WithComponentStatuses):
    """The components of a past update, with the status that each had from then on."""

    reason = _reason("Recorded in the audit log. Not shown to visitors.")
    version = VersionField()

    def __init__(self, data: Any = None, *, update: IncidentUpdate) -> None:
        statuses = {row.component: row.new_status for row in update.affected.select_related("component__group")}
        initial = {"version": update.version, "components": {c.public_id: status for c, status in statuses.items()}}
        super().__init__(data, initial=initial)
        self.fields["components"] = self.component_field = ComponentStatusesField(update.incident.page)
        # A component that was archived since can still be corrected.
        active = self.component_field.components
        self.component_field.components = active + [component for component in statuses if component not in active]


class HistoryForm(CorrectionForm):
    status = forms.ChoiceField(label="Status", choices=ComponentStatus.choices)
    reason = _reason("Recorded in the audit log. Not shown to visitors.")

    def __init__(self, data: Any = None, *, page: Page) -> None:
        super().__init__(data)
        self.fields["start"] = MomentField(page.zone, label="From", help_text=f"In {page.zone_name}.")
        self.fields["end"] = MomentField(page.zone, label="To", help_text="The end time must be in the past.")
        self.order_fields(("status", "start", "end", "reason"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("start", "end"):
            if name in cleaned and cleaned[name] is None:
                self.add_error(name, "Enter a time.")
        return cleaned


class BackfillForm(CorrectionForm):
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}))
    impact = forms.ChoiceField(choices=IMPACTS, required=False)
    notify = forms.BooleanField(label="Notify subscribers", required=False)
    submission_key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput, initial=new_key)


class PastUpdateForm(WithComponentStatuses):
    """One of the updates of a past incident. `number` counts from 1."""

    status = forms.ChoiceField(choices=[(status.value, status.label) for status in INCIDENT_STATUSES])
    body = forms.CharField(
        label="Message", required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "true"})
    )

    def __init__(self, data: Any = None, *, page: Page, number: int, components: list[Component], status: str) -> None:
        super().__init__(data, prefix=f"update{number}", initial={"status": status})
        self.number = number
        self.fields["at"] = MomentField(page.zone, label="Time", help_text=f"In {page.zone_name}.")
        self.fields["components"] = self.component_field = ComponentStatusesField(page, prefix=f"update{number}-of-")
        self.component_field.components = components
        self.order_fields(("status", "at", "body", "components"))

    @property
    def is_empty(self) -> bool:
        """Whether only the status was filled in. Such a row is ignored."""
        return not any(self[name].value() for name in ("body", "at", "components"))

    def past_update(self) -> PastUpdate:
        return PastUpdate(**{name: self.cleaned_data[name] for name in ("status", "body", "at", "components")})


def row_count(data: QueryDict) -> int:
    """Return the number of rows in the submitted form."""
    count = data.get("count", "")
    return min(max(int(count), 2), MAX_UPDATES) if count.isdecimal() and len(count) < 4 else 2


def with_inserted_row(data: QueryDict) -> tuple[QueryDict, int]:
    """Insert an empty row before the last one. Return the changed data and the number of rows."""
    count = row_count(data)
    if count == MAX_UPDATES:
        return data, count
    last, new = f"update{count}-", f"update{count + 1}-"
    moved = QueryDict(mutable=True)
    for key, values in data.lists():
        moved.setlist(new + key.removeprefix(last) if key.startswith(last) else key, values)
    moved[f"{last}status"] = "monitoring"
    return moved, count + 1


def past_update_forms(page: Page, data: Any, *, count: int) -> list[PastUpdateForm]:
    """Return `count` rows. The last one resolves the incident."""
    components = list(page.components.active().in_page_order())
    steps = ["investigating", *["monitoring"] * (count - 2), "resolved"]
    return [
        PastUpdateForm(data, page=page, number=number, components=components, status=step)
        for number, step in enumerate(steps, start=1)
    ]
