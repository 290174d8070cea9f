"""Format the window of a maintenance. Pure functions."""

from datetime import date, datetime, tzinfo


def window_parts(start: datetime, end: datetime, zone: tzinfo, *, year: bool = False) -> tuple[str, str]:
    """Return the texts of both ends in `zone`: `Oct 24, 02:00` and `04:00 CEST`.

    The end has its date if it differs, and the start its zone if the clocks change in between.
    """
    first, last = start.astimezone(zone), end.astimezone(zone)
    day = "%b %d, %Y, %H:%M" if year else "%b %d, %H:%M"
    start_format = day if first.tzname() == last.tzname() else f"{day} %Z"
    end_format = "%H:%M %Z" if first.date() == last.date() else f"{day} %Z"
    return f"{first:{start_format}}", f"{last:{end_format}}"


def days_until(moment: datetime, today: date, zone: tzinfo) -> str:
    """Return `today`, `tomorrow` or `in 3 days` in `zone`, empty for past days."""
    days = (moment.astimezone(zone).date() - today).days
    if days < 0:
        return ""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
