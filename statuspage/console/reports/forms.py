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
        help_text="How long it took to acknowledge, fix and resolve incidents, by month; hidden ones are left out.",
    )
    reports = forms.BooleanField(
        label="Service level reports",
        required=False,
        help_text="For each component and month or quarter: target, uptime, and what is left of the error budget.",
    )


class ImpactStartForm(ActionForm):
    def __init__(self, data: Any = None, *, incident: Incident) -> None:
        zone = incident.page.zone
        initial = {"impact_started_at": typed_moment(incident.impact_started_at, zone)}
        super().__init__(data, initial=initial, auto_id="impact_%s")
        self.fields["impact_started_at"] = MomentField(
            zone,
            label="Impact began",
            help_text=f"In {incident.page.zone_name}, not after the first update. Empty: as the updates say."
            " Only analytics use it; the public page stays as it is.",
        )


def typed_moment(moment: datetime | None, zone: tzinfo) -> str:
    """As one would type it into a MomentField: in `zone`, with the offset where the clocks showed that hour twice."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    once = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
    shown = local.replace(tzinfo=None) if once else local
    return shown.isoformat(" ", "seconds" if moment.second else "minutes")


@dataclass(frozen=True)
class TargetRow:
    """`now` is the target that holds today, as text; `was` the one that the author was shown."""

    component: Component
    target: ServiceTarget | None
    now: str
    was: str
    was_name: str
    field: forms.BoundField


class TargetsForm(ActionForm):
    """A target for each component. Only changed rows are set: nobody undoes what others set meanwhile."""

    valid_from = forms.DateField(
        label="Holds from",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    every = forms.BooleanField(
        label="Set every target from that day, also those that I left as they were",
        required=False,
        help_text="To let a target that you have set already hold from an earlier day.",
    )

    def __init__(self, data: Any = None, *, page: Page, today: date) -> None:
        super().__init__(data, initial={"valid_from": today.replace(day=1)})
        self.components = list(page.components.active().in_page_order())
        found = ServiceTarget.objects.of(self.components).on(today)
        self.targets = {target.component_id: target for target in found}
        self.fields[
            "valid_from"
        ].help_text = f"The first day, at midnight in {page.zone_name}. Whatever was set for later days is replaced."
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
            raise ValidationError("Say from which day on the targets hold.")
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
        """What to set."""
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
    """`99.9`, `99,9` or `99.9 %`; None for nothing. What may be promised is checked by the action too."""
    text = text.strip().removesuffix("%").strip().replace(",", ".")
    if not text:
        return None
    try:
        percent = Decimal(text)
    except InvalidOperation:
        raise ValidationError(f"“{text}” is not a percentage. Write it as 99.9.") from None
    check_percent(percent)
    return percent


def _name(component: Component) -> str:
    return f"target_{component.public_id}"


def _was_name(component: Component) -> str:
    return f"was_{component.public_id}"
