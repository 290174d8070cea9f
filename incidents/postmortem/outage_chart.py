"""An outage as one picture: when it began and ended, what each component went through, the timeline's numbered lines.

SVG made here, pure: no colour and no font, only classes and `data-status` (static/css/timeline.css), so that dark,
light and paper follow the page. Places across are percentages and text keeps its size, from a phone to paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from incidents.models.states import ComponentStatus
from incidents.postmortem.summary import ComponentImpact, PostmortemSummary
from incidents.text.wording import harm_text, moment_text

LABELS = {
    "began": "Impact began",
    "detected": "Detected",
    "acknowledged": "Acknowledged",
    "fixed": "Fixed",
    "resolved": "Resolved",
    "ended": "Impact ended",
}
MOST_COMPONENTS = 12
_LEFT, _RIGHT = 5.0, 95.0
_LABEL_ROW, _COMPONENT_ROW = 18, 38
_LONGEST_NAME = 40
# Two marks that are nearer than this, in percent, are one mark with both numbers.
_NEAR = 7.0
_HOUR = timedelta(hours=1)
_STEPS = [timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)]


@dataclass(frozen=True)
class Scale:
    start: datetime
    end: datetime

    def across(self, at: datetime) -> float:
        """Percent from the left."""
        share = (at - self.start) / (self.end - self.start)
        return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)

    def ticks(self, zone: tzinfo) -> Iterator[datetime]:
        """Round times of `zone`, four at most."""
        span = self.end - self.start
        step = next((step for step in _STEPS if span / step <= 4), span / 3)
        local, earliest = self.start.astimezone(zone), self.start
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + -((midnight - local) // step) * step
        # Longer steps go by the clock on the wall, so that they stay round when it is set.
        at = at.astimezone(UTC) if step <= _HOUR else at
        while (real := at.astimezone(UTC)) <= self.end:
            # What the clocks skipped is the hour after, which comes anyway.
            if real >= earliest:
                yield real
                earliest = real + _STEPS[0]
            if self.end - real < step:
                return
            at += step


def outage_svg(account: PostmortemSummary, zone: tzinfo) -> SafeString:
    """Nothing if there is no time to draw: no moment, or all at once."""
    scale = _scale(account)
    if scale is None:
        return SafeString()
    moments = [(name, at) for name, at in _told_moments(account) if scale.start <= at <= scale.end]
    harms = account.harms[:MOST_COMPONENTS]
    top = _LABEL_ROW * len(moments) + 8
    axis = top + _COMPONENT_ROW * len(harms) + 20
    parts = [
        _impact(account, scale, top, axis - 20),
        *(_moment(name, at, n, scale, axis - 20, zone) for n, (name, at) in enumerate(moments)),
        *(_component(harm, scale, top + _COMPONENT_ROW * n) for n, harm in enumerate(harms)),
        _axis(scale, axis, zone),
        *(_mark(numbers, x, axis) for numbers, x in _marks(account, scale)),
    ]
    return format_html(
        '<svg class="outage" role="img" width="100%" height="{}" aria-labelledby="outage-title outage-desc">'
        '<title id="outage-title">What happened when</title><desc id="outage-desc">{}</desc>{}</svg>',
        axis + 36,
        text_alternative(account, zone),
        format_html_join("", "{}", ([part] for part in parts)),
    )


def text_alternative(account: PostmortemSummary, zone: tzinfo) -> str:
    """The picture in words."""
    parts = [f"{LABELS[name]}: {moment_text(at, zone)}." for name, at in _told_moments(account)]
    for harm in account.harms[:MOST_COMPONENTS]:
        spans = ", ".join(
            f"{ComponentStatus(span.status).label} from {_clock(span.start, zone)} to {_clock(span.end, zone)}"
            for span in harm.spans
        )
        parts.append(f"{harm.name}: {spans or 'no other status on record'}.")
    more = len(account.harms) - MOST_COMPONENTS
    if more > 0:
        parts.append(f"And {more} more components.")
    return " ".join([*parts, "The numbers are those of the list below." if account.lines else ""]).strip()


def _told_moments(account: PostmortemSummary) -> list[tuple[str, datetime]]:
    """In the order of time; of resolution and the end of the impact at one time, the first says both."""
    found = sorted(account.moments.items(), key=lambda entry: (entry[1], list(LABELS).index(entry[0])))
    ended = account.moments.get("ended")
    return [(name, at) for name, at in found if name != "ended" or ended != account.moments.get("resolved")]


def _scale(account: PostmortemSummary) -> Scale | None:
    """The impact, and what led to it or came after within as long again."""
    core = list(account.moments.values())
    if len(set(core)) < 2:  # it goes on, or nothing is known but what the lines say
        core += [line.at for line in account.lines]
    if "ended" not in account.moments:
        core += [span.end for harm in account.harms for span in harm.spans]
    if not core or min(core) == max(core):
        return None
    first, last = min(core), max(core)
    margin = max(last - first, timedelta(minutes=15))
    near = [line.at for line in account.lines if first - line.at <= margin and line.at - last <= margin]
    return Scale(min([first, *near]), max([last, *near]))


def _impact(account: PostmortemSummary, scale: Scale, top: float, bottom: float) -> SafeString:
    began, ended = account.moments.get("began"), account.moments.get("ended")
    if not began or not ended:
        return SafeString()
    left, right = scale.across(began), scale.across(ended)
    return format_html(
        '<rect class="outage-impact" x="{}%" y="{}" width="{}%" height="{}"/>',
        f"{left:.2f}", top - 4, f"{max(right - left, 0.3):.2f}", bottom - top + 4,
    )  # fmt: skip


def _moment(name: str, at: datetime, row: int, scale: Scale, bottom: float, zone: tzinfo) -> SafeString:
    """Each on a row of its own, so that no two words meet."""
    x, y = scale.across(at), _LABEL_ROW * (row + 1) - 4
    side = "outage-before" if x > 55 else "outage-after"
    return format_html(
        '<line class="outage-moment" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
        '<text class="outage-label {4}" x="{0}%" y="{3}" dx="{5}">{6} {7}</text>',
        f"{x:.2f}", y - 11, bottom, y, side, -5 if x > 55 else 5, LABELS[name], _clock(at, zone),
    )  # fmt: skip


def _component(harm: ComponentImpact, scale: Scale, y: float) -> SafeString:
    bars = format_html_join(
        "",
        '<rect class="outage-span" data-status="{}" x="{}%" y="{}" width="{}%" height="10" rx="1.5"/>',
        (
            (span.status, f"{left:.2f}", y + 22, f"{max(scale.across(span.end) - left, 0.4):.2f}")
            for span in harm.spans
            for left in [scale.across(span.start)]
        ),
    )
    return format_html(
        '<text class="outage-name" x="{}%" y="{}">{}</text><rect class="outage-track" x="{}%" y="{}" width="{}%" '
        'height="10" rx="1.5"/>{}',
        _LEFT, y + 16, _name(harm), _LEFT, y + 22,
        _RIGHT - _LEFT, bars,
    )  # fmt: skip


def _name(harm: ComponentImpact) -> str:
    """As much of it as fits on a phone; all of it stands in the description."""
    name = harm.name
    if len(name) > _LONGEST_NAME:  # its group goes first
        name = name.partition(" - ")[2] or name
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 1].rstrip()}…"
    return f"{name}, {harm_text(harm.lasted)}" if harm.lasted else name


def _axis(scale: Scale, y: float, zone: tzinfo) -> SafeString:
    ticks = list(scale.ticks(zone))
    days = {at.astimezone(zone).date() for at in (scale.start, scale.end)}
    words = [f"{at.astimezone(zone):%b %d, %H:%M}" if len(days) > 1 else _clock(at, zone) for at in ticks]
    places = [(f"{scale.across(at):.2f}", y, y + 5, y + 32, word) for at, word in zip(ticks, words, strict=True)]
    return format_html(
        '<line class="outage-axis" x1="{}%" x2="{}%" y1="{}" y2="{}"/>{}',
        _LEFT, _RIGHT, y, y,
        format_html_join(
            "",
            '<line class="outage-axis" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
            '<text class="outage-tick" x="{0}%" y="{3}">{4}</text>',
            places,
        ),
    )  # fmt: skip


def _marks(account: PostmortemSummary, scale: Scale) -> list[tuple[str, float]]:
    """The numbers of the public lines and their places; what is near is one mark: `3–5`."""
    found: list[tuple[int, int, float]] = []
    for number, line in enumerate(account.lines, start=1):
        if not scale.start <= line.at <= scale.end:
            continue
        x = scale.across(line.at)
        if found and x - found[-1][2] < _NEAR:
            found[-1] = (found[-1][0], number, found[-1][2])
        else:
            found.append((number, number, x))
    return [(str(first) if first == last else f"{first}–{last}", x) for first, last, x in found]


def _mark(numbers: str, x: float, y: float) -> SafeString:
    half = 9 if len(numbers) < 3 else 4 + 4 * len(numbers)
    return format_html(
        '<svg x="{}%" y="{}" overflow="visible"><rect class="outage-mark" x="{}" y="-9" width="{}" height="18" rx="9"/>'
        '<text class="outage-number" x="0" y="4">{}</text></svg>',
        f"{x:.2f}", y, -half, 2 * half, numbers,
    )  # fmt: skip


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"
