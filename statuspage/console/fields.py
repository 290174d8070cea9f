"""Form fields that the console's forms share."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import flatatt
from django.http import HttpRequest, QueryDict
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from incidents.models import Component, Page
from incidents.models.states import ComponentStatus

PREFIX = "component_"
_CLOCK = re.compile(r"@?\d{1,2}:\d\d")
INCOMPLETE = "The form was incomplete. Your text is kept below. Submit it again."


class MomentField(forms.CharField):
    """An optional time: `2022-09-21 14:14` in the page's zone, or with an offset (`2022-09-21T14:14Z`).

    Cleans to an aware datetime or None. Rejects local times that do not exist or are ambiguous. With a `day`,
    a time like `14:14` is on that day.
    """

    def __init__(self, zone: tzinfo, *, day: date | None = None, **more: Any) -> None:
        self.zone, self.day = zone, day
        more.setdefault("widget", forms.TextInput(attrs={"placeholder": "2026-01-31 14:05", "autocomplete": "off"}))
        super().__init__(required=False, max_length=40, **more)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        if self.day and _CLOCK.fullmatch(text):
            text = f"{self.day} {text.removeprefix('@'):0>5}"
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            error = "Enter a time in the page's time zone. Example: 2026-01-31 14:05"
            raise ValidationError(error, code="invalid") from None
        return self._in_zone(moment)

    def _in_zone(self, moment: datetime) -> datetime:
        if not 1900 < moment.year < 9000:
            raise ValidationError("Enter a year between 1900 and 9000.")
        if moment.tzinfo:
            return moment
        first, second = (moment.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != moment:
            raise ValidationError(_missing_time(moment, self.zone))
        if first.utcoffset() != second.utcoffset():
            options = " or ".join(f"{choice:%Y-%m-%dT%H:%M%z}" for choice in (first, second))
            raise ValidationError(
                f"{moment:%H:%M} occurs twice on {moment:%b} {moment.day} in {self.zone}. Enter {options}."
            )
        return first


def _missing_time(moment: datetime, zone: tzinfo) -> str:
    """Return the error for a local time that daylight saving time skips, with the nearest times that exist."""
    after = moment.replace(tzinfo=zone, fold=0).astimezone(UTC).astimezone(zone)
    before = moment.replace(tzinfo=zone, fold=1).astimezone(UTC).astimezone(zone)
    error = f"{moment:%H:%M} does not exist on {moment:%b} {moment.day} in {zone}"
    if before.date() != after.date():
        return f"{error}."
    return f"{error} (daylight saving time starts). Use {before:%H:%M} or {after:%H:%M}."


class LongSelect(forms.Select):
    """A select that renders all options at once: Django's takes 20 ms for two hundred. Supports no option groups."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = ((choice, flatatt({"selected": choice == (value or "")}), label) for choice, label in self.choices)
        options = format_html_join("", '<option value="{}"{}>{}</option>', rows)
        return format_html('<select name="{}"{}>{}</select>', name, flatatt(attrs or {}), options)


class DayField(forms.DateField):
    """An optional date in the page's time zone."""

    widget = forms.DateInput(attrs={"type": "date"})
    default_error_messages = {"invalid": "Enter a date. Example: 2026-01-31"}

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, **more)

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and not 1900 < day.year < 9000:
            raise ValidationError("Enter a year between 1900 and 9000.")
        return day


class VersionField(forms.IntegerField):
    """The version that the author has seen. A hidden field: its errors do not ask for a better value."""

    widget = forms.HiddenInput
    default_error_messages = {"required": INCOMPLETE, "invalid": INCOMPLETE}


def sent(request: HttpRequest) -> QueryDict | None:
    """Return the POST data, also if it is empty, so that an empty form is validated; None for other methods."""
    return request.POST if request.method == "POST" else None


def fill_in(form: forms.BaseForm, **values: str) -> None:
    """Replace values of a bound form, as if they had been submitted."""
    data = QueryDict(mutable=True)
    data.update(form.data)
    for name, value in values.items():
        data[form.add_prefix(name)] = value
    form.data = data


@dataclass(frozen=True)
class ComponentChoice:
    component: Component
    selected: str
    prefix: str = PREFIX

    @property
    def name(self) -> str:
        return self.prefix + self.component.public_id


class ComponentStatusesWidget(forms.Widget):
    prefix = PREFIX

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, str]:
        start = self.prefix
        return {key.removeprefix(start): str(data[key]) for key in data if key.startswith(start) and data[key]}

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return False


class ComponentStatusesField(forms.Field):
    """A new status for any of the page's components. Cleans to `{component: status}` of the selected ones.

    The template renders it from `grouped()`: two hundred Django selects would take half a second.
    """

    widget = ComponentStatusesWidget
    statuses = ComponentStatus.choices

    def __init__(self, page: Page, *, prefix: str = PREFIX) -> None:
        self.page, self.prefix = page, prefix
        super().__init__(required=False)
        self.widget.prefix = prefix

    @cached_property
    def components(self) -> list[Component]:
        return list(self.page.components.active().in_page_order())

    def clean(self, value: Any) -> Any:
        known = {component.public_id: component for component in self.components}
        for public_id, status in value.items():
            if public_id not in known:
                raise ValidationError(f"This page has no component “{public_id}”.")
            if status not in ComponentStatus.values:
                raise ValidationError(f"“{status}” is not a component status.")
        return {known[public_id]: status for public_id, status in value.items()}

    def grouped(self, chosen: Mapping[str, str] | None) -> list[tuple[str, list[ComponentChoice]]]:
        """Return group names ("" without a group) and their components in page order, with the selected statuses."""
        chosen = chosen or {}
        choices: Iterable[ComponentChoice] = (
            ComponentChoice(c, chosen.get(c.public_id, ""), self.prefix) for c in self.components
        )
        by_group = groupby(choices, key=lambda choice: choice.component.group)
        return [(group.name if group else "", list(members)) for group, members in by_group]
