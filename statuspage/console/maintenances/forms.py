"""Forms to schedule, start, reschedule, complete and cancel a maintenance."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

from incidents.actions import checks
from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.models import Component, Incident, Page
from incidents.models.states import ComponentStatus
from incidents.text import wording
from statuspage.console.incidents.forms import MessageForm
from statuspage.console.maintenances.option_fields import WithOptions, initial_options
from statuspage.console.maintenances.recurrence_fields import WithRepeat
from statuspage.console.maintenances.schedule_warnings import WithWarnings
from statuspage.console.maintenances.window_fields import WithWindow, as_typed

Boxes = list[tuple[str, list[tuple[Component, bool]]]]


class ComponentBoxesField(forms.MultipleChoiceField):
    """A selection of the page's components, by public id. The template renders it from `grouped()`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        super().__init__(label="Components", required=False)

    @cached_property
    def components(self) -> list[Component]:
        return list(self.page.components.active().in_page_order())

    def clean(self, value: Any) -> Any:
        known = {component.public_id: component for component in self.components}
        if unknown := [public_id for public_id in value or [] if public_id not in known]:
            raise ValidationError(f"There is no component “{unknown[0]}” on this page.")
        return [known[public_id] for public_id in dict.fromkeys(value or [])]

    def grouped(self, chosen: Sequence[str]) -> Boxes:
        """Return the groups in page order: the name (empty without a group) and pairs of component and selected."""
        by_group = groupby(self.components, key=lambda component: component.group)
        return [
            (group.name if group else "", [(member, member.public_id in chosen) for member in members])
            for group, members in by_group
        ]


class WithBoxes(forms.Form):
    def add_boxes(self, page: Page) -> None:
        self.fields["components"] = self.component_field = ComponentBoxesField(page)

    @property
    def component_boxes(self) -> Boxes:
        return self.component_field.grouped(self["components"].value() or [])


class ScheduleForm(WithRepeat, WithOptions, WithBoxes, WithWarnings, WithWindow, MessageForm):
    version = None  # type: ignore[assignment]  # a new maintenance has no version
    checked = {"title": checks.title, **MessageForm.checked}
    title = forms.CharField(required=False, widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 255}))
    field_order = ("title", "scheduled_for", "scheduled_until", "repeat", "rule", "body", "components")

    def __init__(self, data: Any = None, *, page: Page, zone: ZoneInfo | None = None, **more: Any) -> None:
        self.zone = zone or page.zone
        defaults = {"notify": True, **initial_options(actions.MaintenanceOptions())}
        super().__init__(data, page=page, initial=defaults | more.pop("initial", {}), **more)
        del self.fields["at"]
        self.add_window(self.zone)
        self.add_boxes(page)
        self.order_fields(self.field_order)
        self.fields["title"].widget.attrs["autofocus"] = data is None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.check_window(cleaned)
        self.check_repeat(cleaned)
        return cleaned

    def add_action_errors(self, error: ValidationError) -> None:
        """Rename the fields that the action calls differently."""
        names = {"starts_at": "scheduled_for", "duration": "scheduled_until"}
        if hasattr(error, "error_dict"):
            error = ValidationError(
                {names.get(name, name): list(messages) for name, messages in error.message_dict.items()}
            )
        super().add_action_errors(error)


class StepForm(MessageForm):
    """A form that changes a maintenance: a message, and whether to notify subscribers."""

    def __init__(self, data: Any = None, *, incident: Incident, prefix: str, **more: Any) -> None:
        initial = {"version": incident.version, **more.pop("initial", {})}
        auto_id = f"{prefix}_%s"
        super().__init__(data, page=incident.page, prefix=prefix, auto_id=auto_id, initial=initial, **more)
        self.incident = incident

    checked = {"body": lambda text: text.strip() and checks.body(text)}


class CompleteForm(StepForm):
    """Complete a maintenance. `restore` lists the components that become operational; the others keep their status."""

    def __init__(self, data: Any = None, *, incident: Incident, **more: Any) -> None:
        super().__init__(data, incident=incident, **more)
        self.known = {component.public_id: component for component in incident.affected_components()}
        restored = actions.components_to_restore(incident) if incident.restore_components else {}
        self.fields["restore"] = forms.MultipleChoiceField(
            label="Back to operational",
            required=False,
            choices=[(public_id, component.full_name) for public_id, component in self.known.items()],
            initial=[component.public_id for component in restored],
        )

    @property
    def choices(self) -> list[tuple[Component, bool]]:
        chosen = self["restore"].value() or []
        troubled = [c for c in self.known.values() if c.status != ComponentStatus.OPERATIONAL]
        return [(component, component.public_id in chosen) for component in troubled]

    def restored(self) -> dict[Component, str]:
        """The components to restore, with their new status."""
        return {self.known[public_id]: ComponentStatus.OPERATIONAL for public_id in self.cleaned_data["restore"]}


class RescheduleForm(WithWarnings, WithWindow, StepForm):
    """Change the times of a maintenance. After it has started, only its end can change."""

    def __init__(self, data: Any = None, *, incident: Incident, **more: Any) -> None:
        super().__init__(data, incident=incident, **more)
        del self.fields["at"]
        self.fields["body"].label = "Reason"
        self.fields["body"].help_text = "Optional. Published after the old and the new times."
        self.add_window(incident.page.zone)
        if incident.is_running:
            del self.fields["scheduled_for"]
            self.fields[
                "scheduled_until"
            ].help_text = "A time, a time of day, or the total duration. Examples: 2 h, 90 min."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if self.incident.is_running:
            cleaned["scheduled_for"] = self.incident.window[0]
        self.check_window(cleaned)
        return cleaned


class OptionsForm(WithOptions, WithBoxes, StepForm):
    """Change the options and reminders, and the components until it starts. Subscribers are not notified."""

    checked = {}

    def __init__(self, data: Any = None, *, incident: Incident, **more: Any) -> None:
        super().__init__(data, incident=incident, **more)
        for name in ("at", "body", "notify", "submission_key"):
            del self.fields[name]
        if incident.is_upcoming:
            self.add_boxes(incident.page)

    def action_fields(self) -> dict[str, Any]:
        components = self.cleaned_data.get("components")
        return {
            "options": self.options(),
            "components": components,
            "expected_version": self.cleaned_data["version"],
        }


def start_form(incident: Incident, data: Any = None) -> StepForm:
    initial = {"body": wording.MAINTENANCE_STARTED, "notify": incident.notify_start}
    return StepForm(data, incident=incident, prefix="start", initial=initial)


def complete_form(incident: Incident, data: Any = None) -> CompleteForm:
    initial = {"body": wording.MAINTENANCE_COMPLETED, "notify": incident.notify_end}
    return CompleteForm(data, incident=incident, prefix="complete", initial=initial)


def reschedule_form(incident: Incident, data: Any = None) -> RescheduleForm:
    start, end = (as_typed(moment, incident.page.zone) for moment in incident.window)
    initial = {"scheduled_for": start, "scheduled_until": end, "notify": True}
    return RescheduleForm(data, incident=incident, prefix="reschedule", initial=initial)


def cancel_form(incident: Incident, data: Any = None) -> StepForm:
    text = wording.MAINTENANCE_CUT_SHORT if incident.is_running else wording.MAINTENANCE_CANCELED
    initial = {"body": text, "notify": True}
    return StepForm(data, incident=incident, prefix="cancel", initial=initial)


def options_form(incident: Incident, data: Any = None) -> OptionsForm:
    named = [component.public_id for component in incident.affected_components()]
    initial = initial_options(actions.options_of(incident)) | {"components": named}
    return OptionsForm(data, incident=incident, prefix="options", initial=initial)


def step_forms(incident: Incident, bound: MessageForm | None = None) -> dict[str, MessageForm]:
    """Return the forms that apply to the maintenance now, by name. `bound` is a rejected form that keeps its values."""
    forms_now: dict[str, MessageForm] = {}
    if incident.is_upcoming:
        forms_now["start"] = start_form(incident)
    if incident.is_running:
        forms_now["complete"] = complete_form(incident)
    if not incident.is_resolved:
        forms_now |= {
            "reschedule": reschedule_form(incident),
            "options": options_form(incident),
            "cancel": cancel_form(incident),
        }
    if bound and bound.prefix:
        forms_now[bound.prefix] = bound
    return forms_now
