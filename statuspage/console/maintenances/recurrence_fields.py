"""How often a maintenance repeats: a fixed interval or a custom recurrence rule."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms

from incidents import clock, recurrence
from incidents.text.wording import window_text

CUSTOM = "own"
REPEATS = [
    ("", "Does not repeat"),
    ("weekly", "Every week"),
    ("biweekly", "Every 2 weeks"),
    ("monthly", "Every month, on this weekday"),
    (CUSTOM, "Custom rule"),
]
DATES_SHOWN = 3
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def rule_of(repeat: str, start: datetime) -> str:
    """Return the RFC 5545 rule of a choice, for a series that starts on the local day of `start`.

    Monthly means the same weekday of the month, for example the second Sunday. A fifth weekday becomes
    the last one.
    """
    day = _DAYS[start.weekday()]
    nth = (start.day - 1) // 7 + 1
    return {
        "weekly": f"FREQ=WEEKLY;BYDAY={day}",
        "biweekly": f"FREQ=WEEKLY;INTERVAL=2;BYDAY={day}",
        "monthly": f"FREQ=MONTHLY;BYDAY={nth if nth < 5 else -1}{day}",
    }[repeat]


@dataclass(frozen=True)
class Repeat:
    """A valid recurrence: the rule, the first start as local time in `zone`, and the duration of an occurrence."""

    rule: str
    starts_at: datetime
    duration: timedelta
    zone: ZoneInfo

    def slots(self, count: int) -> list[recurrence.Slot]:
        """Return the next future occurrences."""
        after = max(recurrence.instant(self.starts_at, self.zone) - timedelta(seconds=1), clock.now())
        return recurrence.upcoming(self.rule, starts_at=self.starts_at, zone=self.zone, after=after, count=count)

    def windows(self) -> list[tuple[datetime, datetime]]:
        """Return the next three occurrences as aware datetimes."""
        return [(slot.starts_at, slot.starts_at + self.duration) for slot in self.slots(DATES_SHOWN)]

    def dates(self) -> list[str]:
        """`Sunday, Oct 25, 2026, 02:00 – 04:00 CET`"""
        return [
            f"{start.astimezone(self.zone):%A}, {window_text(start, end, self.zone)}" for start, end in self.windows()
        ]

    def action_fields(self) -> dict[str, Any]:
        return {"rule": self.rule, "starts_at": self.starts_at, "duration": self.duration}


class WithRepeat(forms.Form):
    repeat = forms.ChoiceField(label="Repeats", choices=REPEATS, required=False)
    rule = forms.CharField(
        label="Custom rule",
        required=False,
        max_length=500,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "FREQ=MONTHLY;BYDAY=1SA"}
        ),
        help_text="An RFC 5545 rule. Only used with “Custom rule”.",
    )
    zone: ZoneInfo
    repetition: Repeat | None = None

    def repeat_problem(self) -> str:
        """Return the errors of the rule, to show in place of the next dates."""
        return " ".join(str(error) for name in ("repeat", "rule") for error in self.errors.get(name, []))

    def check_repeat(self, cleaned: dict[str, Any]) -> None:
        """Check the rule and add errors to the field that it comes from."""
        repeat, typed = cleaned.get("repeat", ""), cleaned.get("rule", "").strip()
        if typed and repeat != CUSTOM:
            self.add_error("rule", "Select “Custom rule” above, or clear this field.")
        start, end = cleaned.get("scheduled_for"), cleaned.get("scheduled_until")
        if not repeat or self.errors.keys() & {"repeat", "rule", "scheduled_for", "scheduled_until"}:
            return
        if start is None or not isinstance(end, datetime):
            return
        local = start.astimezone(self.zone).replace(tzinfo=None)
        if repeat == CUSTOM and not typed:
            self.add_error("rule", "Enter a rule. Example: FREQ=MONTHLY;BYDAY=1SA.")
            return
        rule = typed if repeat == CUSTOM else rule_of(repeat, local)
        try:
            rule = recurrence.check(rule, starts_at=local, time_zone=str(self.zone))
        except recurrence.RuleError as error:
            self.add_error("rule" if repeat == CUSTOM else "repeat", str(error))
            return
        self.repetition = Repeat(rule, local, end - start, self.zone)
        if not self.repetition.slots(1):
            self.add_error("rule" if repeat == CUSTOM else "repeat", "This schedule has no future dates.")
