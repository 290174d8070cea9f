"""Months and quarters in the time zone of a page: `2026-10`, `2026-Q4`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from incidents.reporting.uptime import midnight

_CODE = re.compile(r"(?P<year>20[0-9]{2}|199[0-9])-(?:(?P<month>0[1-9]|1[0-2])|Q(?P<quarter>[1-4]))")


@dataclass(frozen=True, order=True)
class Period:
    """`length` months from the day `first`: 1 for a month, 3 for a quarter."""

    first: date
    length: int = 1

    @classmethod
    def parse(cls, code: str) -> Period | None:
        """Parse `2026-10` or `2026-Q4`. Return None for other texts."""
        match = _CODE.fullmatch(code)
        if match is None:
            return None
        if match["quarter"]:
            return cls(date(int(match["year"]), int(match["quarter"]) * 3 - 2, 1), 3)
        return cls(date(int(match["year"]), int(match["month"]), 1))

    @classmethod
    def month_at(cls, moment: datetime, zone: tzinfo) -> Period:
        return cls(moment.astimezone(zone).date().replace(day=1))

    @property
    def code(self) -> str:
        return f"{self.first:%Y-%m}" if self.length == 1 else f"{self.first.year}-Q{self.first.month // 3 + 1}"

    @property
    def label(self) -> str:
        """`October 2026`, `Q4 2026`."""
        return f"{self.first:%B %Y}" if self.length == 1 else f"Q{self.first.month // 3 + 1} {self.first.year}"

    @property
    def after(self) -> date:
        """The day after the last one."""
        return months_later(self.first, self.length)

    @property
    def last(self) -> date:
        return self.after - timedelta(days=1)

    @property
    def previous(self) -> Period:
        return Period(months_later(self.first, -self.length), self.length)

    @property
    def next(self) -> Period:
        return Period(self.after, self.length)

    @property
    def quarter(self) -> Period:
        return Period(self.first.replace(month=(self.first.month - 1) // 3 * 3 + 1), 3)

    def window(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Return the first moment of the period and the first one after it, as UTC."""
        return midnight(self.first, zone), midnight(self.after, zone)

    def days(self) -> Iterator[date]:
        return (self.first + timedelta(days=n) for n in range((self.after - self.first).days))

    def months(self) -> list[Period]:
        return [Period(months_later(self.first, n)) for n in range(self.length)]


def months_later(month: date, count: int) -> date:
    """Return the first day of the month `count` months after `month`. `count` can be negative."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)
