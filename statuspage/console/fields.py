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
INCOMPLETE = "The form arrived incomplete. Your text is still here: please send it again."


class MomentField(forms.CharField):
    """An optional time: `2022-09-21 14:14` in the page's zone, or with an offset (`2022-09-21T14:14Z`).

    Gives an aware datetime or None. Refuses times that the zone's clock skipped or showed twice. With a `day`, `14:14`
    alone is meant on it.
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
            raise ValidationError(
                "Write the time as 2026-01-31 14:05, in the page's time zone.", code="invalid"
            ) from None
        return self._in_zone(moment)

    def _in_zone(self, moment: datetime) -> datetime:
        if not 1900 < moment.year < 9000:
            raise ValidationError(f"The year {moment.year} is not a year that something happened in.")
        if moment.tzinfo:
            return moment
        first, second = (moment.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1))
        if first.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != moment:
            raise ValidationError(f"The clocks went forward: {moment:%H:%M} did not exist in {self.zone} that day.")
        if first.utcoffset() != second.utcoffset():
            options = " or ".join(f"{one:%Y-%m-%dT%H:%M%z}" for one in (first, second))
            raise ValidationError(f"The clocks went back: {moment:%H:%M} came twice that day. Write {options}.")
        return first


class LongSelect(forms.Select):
    """Drawn in one go: Django's own takes 20 ms for two hundred options. Knows no groups of them."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        rows = ((one, flatatt({"selected": one == (value or "")}), label) for one, label in self.choices)
        options = format_html_join("", '<option value="{}"{}>{}</option>', rows)
        return format_html('<select name="{}"{}>{}</select>', name, flatatt(attrs or {}), options)


class DayField(forms.DateField):
    """An optional day of the page's calendar."""

    widget = forms.DateInput(attrs={"type": "date"})
    default_error_messages = {"invalid": "Write the day as 2026-01-31."}

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, **more)

    def clean(self, value: Any) -> date | None:
        day: date | None = super().clean(value)
        if day and not 1900 < day.year < 9000:
            raise ValidationError("Nothing happened in that year.")
        return day


class VersionField(forms.IntegerField):
    """The version that the author had read. Nobody types it, so nobody can be asked to type it better."""

    widget = forms.HiddenInput
    default_error_messages = {"required": INCOMPLETE, "invalid": INCOMPLETE}


def sent(request: HttpRequest) -> QueryDict | None:
    """What was posted, even if it is nothing: an empty form is judged too."""
    return request.POST if request.method == "POST" else None


def fill_in(form: forms.BaseForm, **values: str) -> None:
    """Change what a bound form shows, as if it had been typed so."""
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
    """A new status for any of the page's components. Gives `{component: status}` of those that one was chosen for.

    Drawn by the template (two hundred Django selects would take half a second), from `grouped()`.
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
                raise ValidationError(f"There is no component “{public_id}” on this page.")
            if status not in ComponentStatus.values:
                raise ValidationError(f"“{status}” is not a component status.")
        return {known[public_id]: status for public_id, status in value.items()}

    def grouped(self, chosen: Mapping[str, str] | None) -> list[tuple[str, list[ComponentChoice]]]:
        """In page order: group name (empty for loose components) and its members with what was chosen for each."""
        chosen = chosen or {}
        choices: Iterable[ComponentChoice] = (
            ComponentChoice(c, chosen.get(c.public_id, ""), self.prefix) for c in self.components
        )
        by_group = groupby(choices, key=lambda choice: choice.component.group)
        return [(group.name if group else "", list(members)) for group, members in by_group]
