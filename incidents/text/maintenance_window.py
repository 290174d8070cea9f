"""When a maintenance is, as people read it. Pure functions."""

from datetime import date, datetime, tzinfo


def window_parts(start: datetime, end: datetime, zone: tzinfo, *, year: bool = False) -> tuple[str, str]:
    """The texts of both ends in `zone`: `Oct 24, 02:00` and `04:00 CEST`.

    The end's day stands there if it is another one, the start's zone if the clocks change in between.
    """
    first, last = start.astimezone(zone), end.astimezone(zone)
    day = "%b %d, %Y, %H:%M" if year else "%b %d, %H:%M"
    head = day if first.tzname() == last.tzname() else f"{day} %Z"
    tail = "%H:%M %Z" if first.date() == last.date() else f"{day} %Z"
    return f"{first:{head}}", f"{last:{tail}}"


def days_until(moment: datetime, today: date, zone: tzinfo) -> str:
    """`today`, `tomorrow`, `in 3 days`; empty for days that are over. Days of `zone`: true until midnight there."""
    days = (moment.astimezone(zone).date() - today).days
    if days < 0:
        return ""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
