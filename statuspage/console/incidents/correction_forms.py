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
    """What was wrong is said by the actions, beside the field that they name."""


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
        choices=IMPACTS, required=False, help_text="Automatic: the worst that its components had, as updates say."
    )
    version = VersionField()

    def __init__(self, data: Any = None, *, incident: Incident) -> None:
        initial = {"title": incident.title, "impact": incident.impact_override, "version": incident.version}
        super().__init__(data, initial=initial)
        if incident.is_maintenance:
            del self.fields["impact"]


class ReasonForm(CorrectionForm):
    reason = _reason("For the audit log; visitors do not see it.")


class DeleteForm(ReasonForm):
    correct_history = forms.BooleanField(
        label="Correct the status history of its components too",
        required=False,
        help_text="They get the statuses that they would have had without it, now too, and their uptime follows.",
    )


class MergeForm(ReasonForm):
    into = forms.CharField(label="Keep", required=False, max_length=12)

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
    """Which components a past update named, with the status that each had from then on."""

    reason = _reason("For the audit log; visitors do not see it.")
    version = VersionField()

    def __init__(self, data: Any = None, *, update: IncidentUpdate) -> None:
        named = {row.component: row.new_status for row in update.affected.select_related("component__group")}
        initial = {"version": update.version, "components": {c.public_id: status for c, status in named.items()}}
        super().__init__(data, initial=initial)
        self.fields["components"] = self.component_field = ComponentStatusesField(update.incident.page)
        # One that was archived since can still be put right.
        active = self.component_field.components
        self.component_field.components = active + [one for one in named if one not in active]


class HistoryForm(CorrectionForm):
    status = forms.ChoiceField(label="It was", choices=ComponentStatus.choices)
    reason = _reason("For the audit log; visitors do not see it.")

    def __init__(self, data: Any = None, *, page: Page) -> None:
        super().__init__(data)
        self.fields["start"] = MomentField(page.zone, label="From", help_text=f"In {page.zone_name}.")
        self.fields["end"] = MomentField(page.zone, label="To", help_text="It must be over.")
        self.order_fields(("status", "start", "end", "reason"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("start", "end"):
            if name in cleaned and cleaned[name] is None:
                self.add_error(name, "The time is missing.")
        return cleaned


class BackfillForm(CorrectionForm):
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}))
    impact = forms.ChoiceField(choices=IMPACTS, required=False)
    notify = forms.BooleanField(label="Notify subscribers", required=False)
    submission_key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput, initial=new_key)


class PastUpdateForm(WithComponentStatuses):
    """One of the updates of an incident that is added after the fact; `number` counts from 1."""

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
        """Nothing but the status was touched: a row that was not needed."""
        return not any(self[name].value() for name in ("body", "at", "components"))

    def past_update(self) -> PastUpdate:
        return PastUpdate(**{name: self.cleaned_data[name] for name in ("status", "body", "at", "components")})


def count_of(data: QueryDict) -> int:
    """How many rows the form had."""
    said = data.get("count", "")
    return min(max(int(said), 2), MAX_UPDATES) if said.isdecimal() and len(said) < 4 else 2


def moved_apart(data: QueryDict) -> tuple[QueryDict, int]:
    """What was typed, with an empty row before the last one, and how many rows there are now."""
    count = count_of(data)
    if count == MAX_UPDATES:
        return data, count
    last, new = f"update{count}-", f"update{count + 1}-"
    moved = QueryDict(mutable=True)
    for key, values in data.lists():
        moved.setlist(new + key.removeprefix(last) if key.startswith(last) else key, values)
    moved[f"{last}status"] = "monitoring"
    return moved, count + 1


def past_update_forms(page: Page, data: Any, *, count: int) -> list[PastUpdateForm]:
    """So many rows; the last one resolves."""
    components = list(page.components.active().in_page_order())
    steps = ["investigating", *["monitoring"] * (count - 2), "resolved"]
    return [
        PastUpdateForm(data, page=page, number=number, components=components, status=step)
        for number, step in enumerate(steps, start=1)
    ]
