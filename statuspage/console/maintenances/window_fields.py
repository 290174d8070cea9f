"""The start and end of a maintenance. The end can be a time, a time of day, or a duration."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError

from statuspage.console.fields import MomentField

_PART = re.compile(r"(\d{1,6}(?:[.,]\d{1,3})?)\s*(days?|d|hours?|hrs?|h|minutes?|mins?|m)", re.IGNORECASE)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SECONDS = {"d": 86_400, "h": 3_600, "m": 60}
_FORMATS = "Use 2026-01-31 14:05, a time of day (04:00), or a duration (2 h, 90 min)."


def length_of(text: str) -> timedelta | None:
    """`2 h`, `90 min`, `1 h 30 min`, `1.5 hours`, `2 days`; None if `text` is not a duration. A day is 24 hours."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip(" ,"):
        return None
    return timedelta(seconds=sum(float(n.replace(",", ".")) * _SECONDS[unit[0].lower()] for n, unit in parts))


def as_typed(moment: datetime, zone: ZoneInfo) -> str:
    """Format `moment` for a form field, with its UTC offset if the local time occurs twice."""
    local = moment.astimezone(zone)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:%Y-%m-%dT%H:%M%z}" if twice else f"{local:%Y-%m-%d %H:%M}"


class EndField(MomentField):
    """Returns an aware datetime, a timedelta, a `time`, or None. `after` converts it to a datetime."""

    def clean(self, value: Any) -> Any:
        text = forms.CharField.clean(self, value).strip()
        length = length_of(text)
        if length is not None:
            return length
        if match := _CLOCK.fullmatch(text):
            return time(int(match[1]), int(match[2]))
        try:
            return super().clean(value)
        except ValidationError as error:
            if error.code == "invalid":
                raise ValidationError(_FORMATS) from None
            raise

    def after(self, start: datetime, end: datetime | timedelta | time) -> datetime:
        """Return the end in UTC, so that durations are correct across daylight saving changes.

        A duration counts from `start`. A time of day is the next one in the zone.
        """
        if isinstance(end, timedelta):
            return start.astimezone(UTC) + end
        if isinstance(end, datetime):
            return end.astimezone(UTC)
        local = start.astimezone(self.zone).replace(tzinfo=None)
        day = local.date() if end >= local.time() else local.date() + timedelta(days=1)
        return self._in_zone(datetime.combine(day, end)).astimezone(UTC)


class WithWindow(forms.Form):
    """A form with a start and an end in the time zone of the page."""

    def add_window(self, zone: ZoneInfo) -> None:
        self.fields["scheduled_for"] = MomentField(zone, label="Starts", help_text=f"In {zone}.")
        self.fields["scheduled_until"] = self.end_field = EndField(
            zone, label="Ends", help_text="A time, a time of day, or a duration. Examples: 2 h, 90 min."
        )
        self.fields["scheduled_until"].widget.attrs["placeholder"] = "2 h"

    def check_window(self, cleaned: dict[str, Any]) -> None:
        """Add errors for missing or reversed times, and convert `scheduled_until` to a datetime."""
        start, end = cleaned.get("scheduled_for"), cleaned.get("scheduled_until")
        for name, value in (("scheduled_for", start), ("scheduled_until", end)):
            if value is None and name not in self.errors:
                self.add_error(
                    name, "Enter a start time." if name == "scheduled_for" else f"Enter an end time. {_FORMATS}"
                )
        if start is None or end is None:
            return
        try:
            cleaned["scheduled_until"] = until = self.end_field.after(start, end)
        except (ValidationError, OverflowError) as error:
            self.add_error(
                "scheduled_until", error if isinstance(error, ValidationError) else "This duration is too long."
            )
            return
        if until <= start:
            self.add_error("scheduled_until", "Enter an end time after the start time.")

    def window(self) -> tuple[datetime, datetime]:
        return self.cleaned_data["scheduled_for"], self.cleaned_data["scheduled_until"]
