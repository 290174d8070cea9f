"""Convert relative times, like "three days ago at about nine", to moments. All randomness comes from the seed."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from statuspage.importers.demo.data import ActionItemText, IncidentText, PostmortemText, UpdateText

_MOMENT = re.compile(r"\{(date)?([+-]\d+)\}")


@dataclass(frozen=True)
class Post:
    """An update, due at `at`. `edited_at` is when `update.original_body` was replaced by `body`."""

    incident: IncidentText
    update: UpdateText
    at: datetime
    body: str
    first_body: str
    edited_at: datetime
    is_first: bool

    @property
    def author(self) -> str:
        return self.update.author or self.incident.author


@dataclass(frozen=True)
class DemoPublication:
    """A postmortem, due at `at`."""

    incident: IncidentText
    postmortem: PostmortemText
    at: datetime
    body: str

    def done_at(self, item: ActionItemText) -> datetime | None:
        return None if item.done_in_days is None else self.at + timedelta(days=item.done_in_days)


def steps(incidents: Iterable[IncidentText], *, seed: int, now: datetime) -> list[Post | DemoPublication]:
    """Return all updates and postmortems, oldest first, because status histories are written in this order."""
    return sorted((step for incident in incidents for step in _steps(incident, seed, now)), key=lambda step: step.at)


def dated(text: str, start: datetime) -> str:
    """Replace `{+12}` with the time 12 minutes after `start` and `{date+12}` with its date. Both in UTC."""

    def moment(match: re.Match[str]) -> str:
        at = start + timedelta(minutes=int(match[2]))
        return f"{at.day} {at:%B}" if match[1] else f"{at:%H:%M}"

    return _MOMENT.sub(moment, text)


def _steps(incident: IncidentText, seed: int, now: datetime) -> list[Post | DemoPublication]:
    # A generator for each incident: adding or removing one does not move the others.
    rng = random.Random(f"{seed} {incident.title}")
    start = _start(incident, rng, now)
    steps: list[Post | DemoPublication] = [_post(incident, update, start, rng) for update in incident.updates]
    if incident.postmortem:
        at = start + timedelta(minutes=incident.postmortem.published_after)
        steps.append(DemoPublication(incident, incident.postmortem, at, dated(incident.postmortem.body, start)))
    return steps


def _start(incident: IncidentText, rng: random.Random, now: datetime) -> datetime:
    if incident.minutes_ago:
        return now - timedelta(minutes=incident.minutes_ago)
    day = now.astimezone(UTC).date() - timedelta(days=incident.days_ago)
    return datetime.combine(day, incident.clock, tzinfo=UTC) + timedelta(seconds=rng.randint(-1200, 1200))


def _post(incident: IncidentText, update: UpdateText, start: datetime, rng: random.Random) -> Post:
    # Never earlier than written, because an update must not mention a time after it.
    delay = timedelta(seconds=rng.randint(0, 110)) if update.after else timedelta()
    return Post(
        incident=incident,
        update=update,
        at=start + timedelta(minutes=update.after) + delay,
        body=dated(update.body, start),
        first_body=dated(update.original_body or update.body, start),
        edited_at=start + timedelta(minutes=update.edited_after),
        is_first=not update.after,
    )
