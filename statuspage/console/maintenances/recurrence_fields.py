"""How often a maintenance repeats: a simple choice, or a rule of one's own."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from incidents import recurrence
from incidents.text.wording import window_text

OWN = "own"
REPEATS = [
    ("", "Does not repeat"),
    ("weekly", "Every week"),
    ("biweekly", "Every 2 weeks"),
    ("monthly", "Every month, on this weekday"),
    (OWN, "By a rule of my own"),
]
DATES_SHOWN = 3
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def rule_of(repeat: str, start: datetime) -> str:
    """The RFC 5545 rule that a choice means for a series that begins on the local day of `start`.

    Monthly is the same weekday of the month again, the second Sunday say; a fifth one is taken as the last.
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
    """A valid choice: the rule as it is kept, the first wall-clock time of `zone`, and how long each one takes."""

    rule: str
    starts_at: datetime
    duration: timedelta
    zone: ZoneInfo

    def slots(self, count: int) -> list[recurrence.Slot]:
        """The next ones that are still to come."""
        after = max(recurrence.instant(self.starts_at, self.zone) - timedelta(seconds=1), timezone.now())
        return recurrence.upcoming(self.rule, starts_at=self.starts_at, zone=self.zone, after=after, count=count)

    def windows(self) -> list[tuple[datetime, datetime]]:
        """The next three, as instants."""
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
        label="Own rule",
        required=False,
        max_length=500,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "FREQ=MONTHLY;BYDAY=1SA"}
        ),
        help_text="RFC 5545. Only for “By a rule of my own”.",
    )
    zone: ZoneInfo
    repetition: Repeat | None = None

    def repeat_problem(self) -> str:
        """What is wrong with the rule, for the place where the next dates would stand."""
        return " ".join(str(said) for name in ("repeat", "rule") for said in self.errors.get(name, []))

    def check_repeat(self, cleaned: dict[str, Any]) -> None:
        """Check the rule, in words beside the field that it came from."""
        repeat, typed = cleaned.get("repeat", ""), cleaned.get("rule", "").strip()
        if typed and repeat != OWN:
            self.add_error("rule", "Choose “By a rule of my own” above it, or empty this field.")
        start, end = cleaned.get("scheduled_for"), cleaned.get("scheduled_until")
        if not repeat or self.errors.keys() & {"repeat", "rule", "scheduled_for", "scheduled_until"}:
            return
        if start is None or not isinstance(end, datetime):
            return
        local = start.astimezone(self.zone).replace(tzinfo=None)
        if repeat == OWN and not typed:
            self.add_error("rule", "Write the rule, for example FREQ=MONTHLY;BYDAY=1SA.")
            return
        rule = typed if repeat == OWN else rule_of(repeat, local)
        try:
            rule = recurrence.check(rule, starts_at=local, time_zone=str(self.zone))
        except recurrence.RuleError as error:
            self.add_error("rule" if repeat == OWN else "repeat", str(error))
            return
        self.repetition = Repeat(rule, local, end - start, self.zone)
        if not self.repetition.slots(1):
            self.add_error("rule" if repeat == OWN else "repeat", "None of its dates is still to come.")
