"""What people write behind a time, and the offsets from UTC that it can mean on a given day."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_LETTERS = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "WET": 0,
    "WEST": 1,
    "BST": 1,
    "CET": 1,
    "CEST": 2,
    "EET": 2,
    "EEST": 3,
    "MSK": 3,
    "SGT": 8,
    "HKT": 8,
    "JST": 9,
    "KST": 9,
    "AEST": 10,
    "AEDT": 11,
    "NZST": 12,
    "NZDT": 13,
    "EDT": -4,
    "EST": -5,
    "CDT": -5,
    "MDT": -6,
    "MST": -7,
    "PDT": -7,
    "PST": -8,
    "AKST": -9,
    "AKDT": -8,
    "HST": -10,
}
# The same letters in several parts of the world: where, and how far from UTC.
_SHARED = {
    "CST": {"US Central": -6.0, "China": 8.0},
    "IST": {"India": 5.5, "Israel": 2.0, "Ireland": 1.0},
    "AST": {"Atlantic Canada": -4.0, "Arabia": 3.0},
}
_PLACES = {
    **dict.fromkeys(("PT", "PST", "PDT", "PACIFIC"), "America/Los_Angeles"),
    **dict.fromkeys(("MT", "MDT", "MOUNTAIN"), "America/Denver"),
    **dict.fromkeys(("CT", "CDT", "CENTRAL"), "America/Chicago"),
    **dict.fromkeys(("ET", "EST", "EDT", "EASTERN"), "America/New_York"),
    "AKST": "America/Anchorage",
    "AKDT": "America/Anchorage",
    **dict.fromkeys(("CET", "CEST"), "Europe/Berlin"),
    **dict.fromkeys(("EET", "EEST"), "Europe/Athens"),
    "WET": "Europe/Lisbon",
    "WEST": "Europe/Lisbon",
    "BST": "Europe/London",
    "AEDT": "Australia/Sydney",
    "NZST": "Pacific/Auckland",
    "NZDT": "Pacific/Auckland",
}
_GENERIC = {"PT", "MT", "CT", "ET", "PACIFIC", "MOUNTAIN", "CENTRAL", "EASTERN"}

PATTERN = (
    r"(?-i:(?:UTC|GMT)(?:[ ]?[+−-](?:1[0-4]|0?[0-9])(?![0-9])(?!:[0-9]{2}[ ]?(?:UTC|GMT))(?::[0-9]{2})?)?"
    r"|[PMCE]T|" + "|".join(sorted({*_LETTERS, *_SHARED} - {"UTC", "GMT"}, key=len, reverse=True)) + r")(?![A-Za-z0-9])"
    r"|[+−][0-9]{2}:[0-9]{2}(?![0-9:])"
    r"|(?:Pacific|Mountain|Central|Eastern)(?:[ ](?:Standard|Daylight))?[ ]Time\b"
)
_OFFSET = re.compile(r"([+−-])([0-9]{1,2}):?([0-9]{2})?$")


@dataclass(frozen=True)
class Zone:
    """`text` as it was written."""

    text: str

    @property
    def name(self) -> str:
        return self.text.upper().split()[0] if self.text[:3].upper() not in ("UTC", "GMT") else self.text.upper()

    @property
    def is_utc(self) -> bool:
        return self.name in ("UTC", "GMT", "Z")

    @property
    def shared_by(self) -> dict[str, float]:
        """Parts of the world that use these letters for different times; empty if only one does."""
        return _SHARED.get(self.name, {})

    @property
    def is_generic(self) -> bool:
        """Says where, not whether in summer or in winter."""
        return self.name in _GENERIC

    def offsets(self, day: date) -> list[timedelta]:
        """From UTC on that day at noon; several if the letters are used in several places."""
        if match := _OFFSET.search(self.name):
            sign = 1 if match.group(1) == "+" else -1
            return [sign * timedelta(hours=int(match.group(2)), minutes=int(match.group(3) or 0))]
        if self.shared_by:
            return [timedelta(hours=hours) for hours in self.shared_by.values()]
        if self.is_generic:
            return [self._there(day)]
        return [timedelta(hours=_LETTERS[self.name])]

    def in_season(self, day: date) -> str:
        """What the letters should be on that day (`PDT` for `PST` in summer); empty if they are right, or unknown."""
        if self.is_generic or self.name not in _PLACES or self.offsets(day) == [self._there(day)]:
            return ""
        return self._noon(day).tzname() or ""

    def changes_in_month(self, day: date) -> bool:
        """Whether its clocks change in the month of `day`."""
        if self.name not in _PLACES:
            return False
        last = day.replace(day=calendar.monthrange(day.year, day.month)[1])
        return self._there(day.replace(day=1) - timedelta(days=1)) != self._there(last)

    def spelled(self, day: date) -> str:
        """The letters of that day for a zone that does not say the season: `PST` for `PT`."""
        return self._noon(day).tzname() or self.text

    def _there(self, day: date) -> timedelta:
        return self._noon(day).utcoffset() or timedelta()

    def _noon(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, 12, tzinfo=UTC).astimezone(ZoneInfo(_PLACES[self.name]))
