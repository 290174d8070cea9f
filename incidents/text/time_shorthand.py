"""Expand `@14:14` and `@2026-11-25 14:14` in a text: a time in the time zone of the page. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

PATTERN = (
    r"(?<![\w@./])@(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}) )?(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?![\w:])"
)
_SHORTHAND = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True)
class Clock:
    """How to read the times of a text: in `zone` and, without a date, on the day of `at`."""

    zone: tzinfo
    at: datetime

    @property
    def day(self) -> date:
        """The day of `at`."""
        return self.at.astimezone(self.zone).date()

    def moment(self, match: re.Match[str]) -> datetime | None:
        """Return None for a date that does not exist or a time that the clocks skipped. Of two, return the first."""
        try:
            day = date.fromisoformat(match["day"]) if match["day"] else self.day
            moment = datetime.combine(day, time(int(match["hour"]), int(match["minute"])), tzinfo=self.zone)
            there_and_back = moment.astimezone(UTC).astimezone(self.zone)
        except (ValueError, OverflowError):
            return None
        return moment if there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None

    def expanded(self, match: re.Match[str]) -> str:
        """Return for example `14:14 CET (13:14 UTC)`, with its date if it has one. Keep a time that does not exist."""
        moment = self.moment(match)
        if moment is None:
            return match[0]
        utc = moment.astimezone(UTC)
        day = f"{moment:%b} {moment.day}, {moment.year}, " if match["day"] else ""
        local = f"{day}{moment:%H:%M %Z}" if moment.utcoffset() else f"{day}{moment:%H:%M} UTC"
        if not moment.utcoffset():
            return local
        other_day = "" if utc.date() == moment.date() else f"{utc:%b} {utc.day}, "
        return f"{local} ({other_day}{utc:%H:%M} UTC)"


def has_shorthand(text: str) -> bool:
    return _SHORTHAND.search(text) is not None


def expand_times(text: str, clock: Clock) -> str:
    """Return `text` with its times written out, for plain text."""
    return _SHORTHAND.sub(clock.expanded, text)
