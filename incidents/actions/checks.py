"""Validation that the actions share. All functions raise ValidationError with the name of the field."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents import clock
from incidents.models import Component, Page
from incidents.models.states import STATUSES_OF, ComponentStatus, Impact, Kind
from incidents.text import markdown
from incidents.text.time_shorthand import Clock

MAX_TITLE = 255
CLOCK_SKEW = timedelta(minutes=2)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Filling in a form takes time: a start that was "now" when the form was opened is not in the past.
START_TOLERANCE = timedelta(minutes=5)
LONGEST_WINDOW = timedelta(days=90)
MAX_REMINDERS = 5
LONGEST_LEAD = 30 * 24 * 60  # minutes
FURTHEST_AHEAD = timedelta(days=5 * 366)


def line(text: str, *, field: str, what: str, max_length: int = MAX_TITLE) -> str:
    """Check a single line without control characters: it is used in headings, file names and email headers."""
    if any(ord(character) < 32 or character in "\x7f\x85\u2028\u2029" for character in text):
        raise ValidationError({field: f"{what} must be a single line without control characters."})
    text = text.strip()
    if not text:
        raise ValidationError({field: f"{what} is missing."})
    if len(text) > max_length:
        raise ValidationError({field: f"{what} is {len(text)} characters long; {max_length} are allowed."})
    return text


def title(text: str) -> str:
    return line(text, field="title", what="The title")


def body(text: str, *, field: str = "body", clock: Clock | None = None) -> tuple[str, str]:
    """Return the Markdown to store and its HTML. `clock` renders times such as `@14:14`."""
    try:
        return markdown.check_size(text), markdown.render(text, clock=clock)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from None


def moment(at: datetime | None, *, field: str = "at", not_before: datetime | None = None) -> datetime:
    """Return `at`, or now if it is None. Naive times, future times and times before `not_before` are invalid."""
    now = clock.now()
    if at is None:
        return now if not_before is None else max(now, not_before)
    if timezone.is_naive(at):
        raise ValidationError({field: "Add a time zone to the time. Example: 2022-09-21T14:14:00Z."})
    if at > now + CLOCK_SKEW:
        raise ValidationError({field: f"{at:%Y-%m-%d %H:%M %Z} is in the future."})
    if at < EARLIEST:
        raise ValidationError({field: f"{at:%Y-%m-%d} is too long ago. Enter a date after 1990."})
    if not_before is not None and at < not_before:
        raise ValidationError({field: f"This is before the previous update ({not_before:%Y-%m-%d %H:%M} UTC)."})
    return at


def status(value: str, kind: str) -> str:
    allowed = STATUSES_OF[Kind(kind)]
    if value not in allowed:
        raise ValidationError(
            {"status": f"“{value}” is not a status of this {kind}. Use one of: {', '.join(allowed)}."}
        )
    return value


def impact(value: str | None) -> str:
    """Check an impact that the author chose. Empty means that it is derived from the components."""
    if not value:
        return ""
    if value not in Impact.values:
        raise ValidationError({"impact": f"“{value}” is not an impact. Use one of: {', '.join(Impact.values)}."})
    return value


def components(page: Page, statuses: Mapping[Component, str]) -> dict[Component, str]:
    """Lock the components of `page` and return them with their new status.

    They are always locked in the same order, so that two actions cannot deadlock.
    """
    new_statuses = {component.pk: new for component, new in statuses.items()}
    components = Component.objects.active().filter(page=page, pk__in=new_statuses).select_related("group")
    locked = {c.pk: c for c in components.select_for_update(of=("self",)).order_by("pk")}
    for component, new in statuses.items():
        if component.pk not in locked:
            raise ValidationError({"components": f"“{component.name}” is no longer a component of this page."})
        if new not in ComponentStatus.values:
            raise ValidationError({"components": f"“{new}” is not a component status."})
    return {locked[pk]: new_statuses[pk] for pk in sorted(locked)}


def window(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the start and end of a maintenance in UTC. It lasts at most LONGEST_WINDOW."""
    for at, field in ((start, "scheduled_for"), (end, "scheduled_until")):
        if timezone.is_naive(at):
            raise ValidationError({field: "Add a time zone to the time. Example: 2022-09-21T14:14:00Z."})
    # Python compares two times of one zone by their local time, which is ambiguous when daylight saving time ends.
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end == start:
        raise ValidationError({"scheduled_until": "Enter an end time after the start time."})
    if end < start:
        raise ValidationError({"scheduled_until": "Enter an end time after the start time."})
    if end - start > LONGEST_WINDOW:
        raise ValidationError({"scheduled_until": f"A maintenance can last at most {LONGEST_WINDOW.days} days."})
    return start, end


def start_ahead(start: datetime, *, now: datetime) -> None:
    """Check that a start is in the future, with START_TOLERANCE."""
    if start < now - START_TOLERANCE:
        raise ValidationError({"scheduled_for": f"The start time is in the past ({start:%Y-%m-%d %H:%M %Z})."})
    if start > now + FURTHEST_AHEAD:
        raise ValidationError({"scheduled_for": "The start time is more than five years in the future."})


def reminders(minutes: Iterable[int]) -> list[int]:
    """Return the minutes before a maintenance without duplicates, the earliest reminder first."""
    leads = sorted(set(minutes), reverse=True)
    if len(leads) > MAX_REMINDERS:
        raise ValidationError({"reminders": f"Enter at most {MAX_REMINDERS} reminders (there are {len(leads)})."})
    if any(not 1 <= lead <= LONGEST_LEAD for lead in leads):
        raise ValidationError({"reminders": "Enter reminders from 1 minute to 30 days (43,200 minutes)."})
    return leads
