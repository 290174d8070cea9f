"""Draw an outage as SVG: its moments, the statuses of each component, and the numbered lines of the timeline.

Pure. The SVG has no colors or fonts, only classes and `data-status` (static/css/timeline.css), so that it follows the
theme of the page. Horizontal positions are percentages; text keeps its size on phones and on paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from incidents.models.states import ComponentStatus
from incidents.postmortem.summary import ComponentImpact, PostmortemSummary
from incidents.text.wording import impact_duration_text, moment_text

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
# Marks closer than this, in percent, become one mark with both numbers.
_NEAR = 7.0
_HOUR = timedelta(hours=1)
_STEPS = [timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)]


@dataclass(frozen=True)
class Scale:
    start: datetime
    end: datetime

    def across(self, at: datetime) -> float:
        """Return the horizontal position in percent."""
        share = (at - self.start) / (self.end - self.start)
        return _LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0)

    def ticks(self, zone: tzinfo) -> Iterator[datetime]:
        """Yield up to four round times of `zone`."""
        span = self.end - self.start
        step = next((step for step in _STEPS if span / step <= 4), span / 3)
        local, earliest = self.start.astimezone(zone), self.start
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + -((midnight - local) // step) * step
        # Longer steps use the wall clock, so that they stay round when the clocks change.
        at = at.astimezone(UTC) if step <= _HOUR else at
        while (real := at.astimezone(UTC)) <= self.end:
            # An hour that the clocks skip equals the next one, which follows.
            if real >= earliest:
                yield real
                earliest = real + _STEPS[0]
            if self.end - real < step:
                return
            at += step


def outage_svg(summary: PostmortemSummary, zone: tzinfo) -> SafeString:
    """Return the SVG, empty if there is no time span to draw."""
    scale = _scale(summary)
    if scale is None:
        return SafeString()
    moments = [(name, at) for name, at in _labeled_moments(summary) if scale.start <= at <= scale.end]
    component_impacts = summary.component_impacts[:MOST_COMPONENTS]
    top = _LABEL_ROW * len(moments) + 8
    axis = top + _COMPONENT_ROW * len(component_impacts) + 20
    parts = [
        _impact(summary, scale, top, axis - 20),
        *(_moment(name, at, n, scale, axis - 20, zone) for n, (name, at) in enumerate(moments)),
        *(_component(impact, scale, top + _COMPONENT_ROW * n) for n, impact in enumerate(component_impacts)),
        _axis(scale, axis, zone),
        *(_mark(numbers, x, axis) for numbers, x in _marks(summary, scale)),
    ]
    return format_html(
        '<svg class="outage" role="img" width="100%" height="{}" aria-labelledby="outage-title outage-desc">'
        '<title id="outage-title">What happened when</title><desc id="outage-desc">{}</desc>{}</svg>',
        axis + 36,
        text_alternative(summary, zone),
        format_html_join("", "{}", ([part] for part in parts)),
    )


def text_alternative(summary: PostmortemSummary, zone: tzinfo) -> str:
    """Return the text alternative of the SVG."""
    parts = [f"{LABELS[name]}: {moment_text(at, zone)}." for name, at in _labeled_moments(summary)]
    for impact in summary.component_impacts[:MOST_COMPONENTS]:
        spans = ", ".join(
            f"{ComponentStatus(span.status).label} from {_clock(span.start, zone)} to {_clock(span.end, zone)}"
            for span in impact.spans
        )
        parts.append(f"{impact.name}: {spans or 'no other status on record'}.")
    more = len(summary.component_impacts) - MOST_COMPONENTS
    if more > 0:
        parts.append(f"And {more} more components.")
    return " ".join([*parts, "The numbers are those of the list below." if summary.lines else ""]).strip()


def _labeled_moments(summary: PostmortemSummary) -> list[tuple[str, datetime]]:
    """Return the moments in the order of time, without an end of the impact that equals the resolution."""
    moments = sorted(summary.moments.items(), key=lambda entry: (entry[1], list(LABELS).index(entry[0])))
    ended = summary.moments.get("ended")
    return [(name, at) for name, at in moments if name != "ended" or ended != summary.moments.get("resolved")]


def _scale(summary: PostmortemSummary) -> Scale | None:
    """Return the time of the impact, extended by lines that are at most as long before or after it."""
    core = list(summary.moments.values())
    if len(set(core)) < 2:  # the impact continues, or only the lines have times
        core += [line.at for line in summary.lines]
    if "ended" not in summary.moments:
        core += [span.end for impact in summary.component_impacts for span in impact.spans]
    if not core or min(core) == max(core):
        return None
    first, last = min(core), max(core)
    margin = max(last - first, timedelta(minutes=15))
    near = [line.at for line in summary.lines if first - line.at <= margin and line.at - last <= margin]
    return Scale(min([first, *near]), max([last, *near]))


def _impact(summary: PostmortemSummary, scale: Scale, top: float, bottom: float) -> SafeString:
    began, ended = summary.moments.get("began"), summary.moments.get("ended")
    if not began or not ended:
        return SafeString()
    left, right = scale.across(began), scale.across(ended)
    return format_html(
        '<rect class="outage-impact" x="{}%" y="{}" width="{}%" height="{}"/>',
        f"{left:.2f}", top - 4, f"{max(right - left, 0.3):.2f}", bottom - top + 4,
    )  # fmt: skip


def _moment(name: str, at: datetime, row: int, scale: Scale, bottom: float, zone: tzinfo) -> SafeString:
    """Draw a moment in its own row, so that labels do not overlap."""
    x, y = scale.across(at), _LABEL_ROW * (row + 1) - 4
    side = "outage-before" if x > 55 else "outage-after"
    return format_html(
        '<line class="outage-moment" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
        '<text class="outage-label {4}" x="{0}%" y="{3}" dx="{5}">{6} {7}</text>',
        f"{x:.2f}", y - 11, bottom, y, side, -5 if x > 55 else 5, LABELS[name], _clock(at, zone),
    )  # fmt: skip


def _component(impact: ComponentImpact, scale: Scale, y: float) -> SafeString:
    bars = format_html_join(
        "",
        '<rect class="outage-span" data-status="{}" x="{}%" y="{}" width="{}%" height="10" rx="1.5"/>',
        (
            (span.status, f"{left:.2f}", y + 22, f"{max(scale.across(span.end) - left, 0.4):.2f}")
            for span in impact.spans
            for left in [scale.across(span.start)]
        ),
    )
    return format_html(
        '<text class="outage-name" x="{}%" y="{}">{}</text><rect class="outage-track" x="{}%" y="{}" width="{}%" '
        'height="10" rx="1.5"/>{}',
        _LEFT, y + 16, _name(impact), _LEFT, y + 22,
        _RIGHT - _LEFT, bars,
    )  # fmt: skip


def _name(impact: ComponentImpact) -> str:
    """Return the name, shortened for phones. The text alternative has the full name."""
    name = impact.name
    if len(name) > _LONGEST_NAME:  # without its group
        name = name.partition(" - ")[2] or name
    if len(name) > _LONGEST_NAME:
        name = f"{name[: _LONGEST_NAME - 1].rstrip()}…"
    return f"{name}, {impact_duration_text(impact.lasted)}" if impact.lasted else name


def _axis(scale: Scale, y: float, zone: tzinfo) -> SafeString:
    ticks = list(scale.ticks(zone))
    days = {at.astimezone(zone).date() for at in (scale.start, scale.end)}
    labels = [f"{at.astimezone(zone):%b %d, %H:%M}" if len(days) > 1 else _clock(at, zone) for at in ticks]
    positions = [(f"{scale.across(at):.2f}", y, y + 5, y + 32, label) for at, label in zip(ticks, labels, strict=True)]
    return format_html(
        '<line class="outage-axis" x1="{}%" x2="{}%" y1="{}" y2="{}"/>{}',
        _LEFT, _RIGHT, y, y,
        format_html_join(
            "",
            '<line class="outage-axis" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
            '<text class="outage-tick" x="{0}%" y="{3}">{4}</text>',
            positions,
        ),
    )  # fmt: skip


def _marks(summary: PostmortemSummary, scale: Scale) -> list[tuple[str, float]]:
    """Return the numbers of the public lines and their positions. Close ones share a mark: `3–5`."""
    marks: list[tuple[int, int, float]] = []
    for number, line in enumerate(summary.lines, start=1):
        if not scale.start <= line.at <= scale.end:
            continue
        x = scale.across(line.at)
        if marks and x - marks[-1][2] < _NEAR:
            marks[-1] = (marks[-1][0], number, marks[-1][2])
        else:
            marks.append((number, number, x))
    return [(str(first) if first == last else f"{first}–{last}", x) for first, last, x in marks]


def _mark(numbers: str, x: float, y: float) -> SafeString:
    half = 9 if len(numbers) < 3 else 4 + 4 * len(numbers)
    return format_html(
        '<svg x="{}%" y="{}" overflow="visible"><rect class="outage-mark" x="{}" y="-9" width="{}" height="18" rx="9"/>'
        '<text class="outage-number" x="0" y="4">{}</text></svg>',
        f"{x:.2f}", y, -half, 2 * half, numbers,
    )  # fmt: skip


def _clock(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%H:%M}"
