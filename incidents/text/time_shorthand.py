"""`@14:14` and `@2026-11-25 14:14` in a text: a time on the page's clock. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from incidents.models.incidents import Incident
from incidents.models.postmortems import Postmortem
from incidents.models.states import UPCOMING
from incidents.models.updates import IncidentUpdate

PATTERN = (
    r"(?<![\w@./])@(?:(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2}) )?(?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9])(?![\w:])"
)
_SHORTHAND = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True)
class Clock:
    """How a text's times are read: in `zone`, and where they name no day, on that of `at`."""

    zone: tzinfo
    at: datetime

    @property
    def day(self) -> date:
        """Of `at`."""
        return self.at.astimezone(self.zone).date()

    def moment(self, found: re.Match[str]) -> datetime | None:
        """None for a day that does not exist, or a time that the zone's clock skipped; the first of two."""
        try:
            day = date.fromisoformat(found["day"]) if found["day"] else self.day
            moment = datetime.combine(day, time(int(found["hour"]), int(found["minute"])), tzinfo=self.zone)
            there_and_back = moment.astimezone(UTC).astimezone(self.zone)
        except (ValueError, OverflowError):
            return None
        return moment if there_and_back.replace(tzinfo=None) == moment.replace(tzinfo=None) else None

    def spelled(self, found: re.Match[str]) -> str:
        """`14:14 CET (13:14 UTC)`, with its day if that was named; as it was written if there is no such time."""
        moment = self.moment(found)
        if moment is None:
            return found[0]
        utc = moment.astimezone(UTC)
        day = f"{moment:%b} {moment.day}, {moment.year}, " if found["day"] else ""
        said = f"{day}{moment:%H:%M %Z}" if moment.utcoffset() else f"{day}{moment:%H:%M} UTC"
        if not moment.utcoffset():
            return said
        other_day = "" if utc.date() == moment.date() else f"{utc:%b} {utc.day}, "
        return f"{said} ({other_day}{utc:%H:%M} UTC)"


def has_shorthand(text: str) -> bool:
    return _SHORTHAND.search(text) is not None


def spelled_out(text: str, clock: Clock) -> str:
    """`text` for readers of plain text, who see no page that would show its times."""
    return _SHORTHAND.sub(clock.spelled, text)


def clock_of(incident: Incident, *, status: str, at: datetime) -> Clock:
    """For an update of that status and time. What announces a maintenance is about the day on which it will begin."""
    start = incident.scheduled_for if status in UPCOMING else None
    return Clock(incident.page.zone, start or at)


def body_told(update: IncidentUpdate, incident: Incident) -> str:
    """The body of an update, for JSON and plain mail."""
    if "@" not in update.body:
        return update.body
    return spelled_out(update.body, clock_of(incident, status=update.status, at=update.display_at))


def postmortem_told(postmortem: Postmortem, incident: Incident) -> str:
    """The same of a postmortem, which is about the day on which the incident began."""
    if "@" not in postmortem.body:
        return postmortem.body
    return spelled_out(postmortem.body, Clock(incident.page.zone, incident.happened_at))
