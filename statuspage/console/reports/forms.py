from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents.actions.pages.service_level_targets import check_percent
from incidents.models import Component, Incident, Page, ServiceTarget
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import MomentField


class PublishFiguresForm(forms.Form):
    analytics = forms.BooleanField(
        label="Analytics",
        required=False,
        help_text="Time to acknowledge, fix and resolve incidents, by month. Hidden incidents are not included.",
    )
    reports = forms.BooleanField(
        label="Service level reports",
        required=False,
        help_text="Target, uptime and remaining error budget of each component, by month or quarter.",
    )


class ImpactStartForm(ActionForm):
    def __init__(self, data: Any = None, *, incident: Incident) -> None:
        zone = incident.page.zone
        initial = {"impact_started_at": typed_moment(incident.impact_started_at, zone)}
        super().__init__(data, initial=initial, auto_id="impact_%s")
        self.fields["impact_started_at"] = MomentField(
            zone,
            label="Impact start",
            help_text=f"In {incident.page.zone_name}, not after the first update. "
            "Leave empty to use the time of the first update. Used only for analytics, not for the public page.",
        )


def typed_moment(moment: datetime | None, zone: tzinfo) -> str:
    """Return `moment` as text for a MomentField: in `zone`, with the offset if the local time is ambiguous."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    once = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
    shown = local.replace(tzinfo=None) if once else local
    return shown.isoformat(" ", "seconds" if moment.second else "minutes")


@dataclass(frozen=True)
class TargetRow:
    """`now` is today's target as text, `was` the target that the author was shown."""

    component: Component
    target: ServiceTarget | None
    now: str
    was: str
    was_name: str
    field: forms.BoundField


class TargetsForm(ActionForm):
    """A target for each component. Only changed rows are saved, so that changes of other people are kept."""

    valid_from = forms.DateField(
        label="Valid from",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    every = forms.BooleanField(
        label="Also set the targets that I did not change",
        required=False,
        help_text="Use this to apply existing targets from an earlier day.",
    )

    def __init__(self, data: Any = None, *, page: Page, today: date) -> None:
        super().__init__(data, initial={"valid_from": today.replace(day=1)})
        self.components = list(page.components.active().in_page_order())
        targets = ServiceTarget.objects.of(self.components).on(today)
        self.targets = {target.component_id: target for target in targets}
        self.fields["valid_from"].help_text = f"Midnight in {page.zone_name}. Targets set for later days are replaced."
        for component in self.components:
            self.fields[_name(component)] = forms.CharField(
                label=component.full_name, required=False, max_length=20, initial=self._now(component),
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )  # fmt: skip

    @property
    def rows(self) -> list[TargetRow]:
        return [
            TargetRow(
                component=component,
                target=self.targets.get(component.pk),
                now=self._now(component),
                was=self._was(component),
                was_name=_was_name(component),
                field=self[_name(component)],
            )
            for component in self.components
        ]

    def clean_valid_from(self) -> date:
        day: date | None = self.cleaned_data["valid_from"]
        if day is None:
            raise ValidationError("Enter the day from which the targets are valid.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for component in self.components:
            name = _name(component)
            try:
                cleaned[name] = percentage(cleaned.get(name, ""))
            except ValidationError as error:
                self.add_error(name, error)
        return cleaned

    def changed(self) -> dict[Component, Decimal | None]:
        """Return the targets to set."""
        typed = {component: self.cleaned_data[_name(component)] for component in self.components}
        if self.cleaned_data["every"]:
            return typed
        return {component: new for component, new in typed.items() if new != percentage(self._was(component))}

    def _now(self, component: Component) -> str:
        target = self.targets.get(component.pk)
        return f"{target.percent.normalize():f}" if target else ""

    def _was(self, component: Component) -> str:
        return str(self.data.get(_was_name(component), self._now(component)))


def percentage(text: str) -> Decimal | None:
    """Parse `99.9`, `99,9` or `99.9 %`. Return None for an empty text. The action checks the value again."""
    text = text.strip().removesuffix("%").strip().replace(",", ".")
    if not text:
        return None
    try:
        percent = Decimal(text)
    except InvalidOperation:
        raise ValidationError(f"“{text}” is not a percentage. Example: 99.9") from None
    check_percent(percent)
    return percent


def _name(component: Component) -> str:
    return f"target_{component.public_id}"


def _was_name(component: Component) -> str:
    return f"was_{component.public_id}"
