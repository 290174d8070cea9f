"""How many subscribers there are."""

from incidents.models import Page
from statuspage.api.people.words import MODES, OTHERS, STATES, mode_of
from statuspage.api.schemas.counts import CountsByMode, CountsByState, Histogram


def counts(page: Page) -> Histogram:
    """By mode and state; those who have left are not counted."""
    found = {mode: CountsByState() for mode in (*MODES.values(), OTHERS)}
    for channel, state, number in page.subscribers.tally():
        counted = found[mode_of(channel)]
        for word in ("active", "unconfirmed", "quarantined"):
            if state in STATES[word]:
                setattr(counted, word, getattr(counted, word) + number)
                counted.total += number
    return Histogram(**found)


def counted_by_mode(page: Page, *, mode: str | None, state: str) -> CountsByMode:
    """Of other modes than `mode`, none."""
    histogram, word = counts(page), {"all": "total", "pending": "unconfirmed"}.get(state, state)
    modes = [mode] if mode else list(Histogram.model_fields)
    return CountsByMode(**{one: getattr(getattr(histogram, one), word) for one in modes})
