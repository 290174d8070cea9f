"""A row of days as one small drawing and as one sentence, without loops in templates: a page may have thousands."""

from collections import Counter
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from incidents.models.states import ComponentStatus
from incidents.reporting import uptime
from incidents.reporting.uptime import Bars

# The class of each status's line, short because a page has hundreds of them, and where it runs in a drawing 20 units
# high, so that with its width in CSS it stands on the ground. The worse the status, the higher its bar: the shape says
# it, too.
_LINE = {
    "": ("none", 19),
    ComponentStatus.OPERATIONAL: ("", 14),
    ComponentStatus.UNDER_MAINTENANCE: ("maintained", 16),
    ComponentStatus.DEGRADED_PERFORMANCE: ("degraded", 13),
    ComponentStatus.PARTIAL_OUTAGE: ("partial", 12),
    ComponentStatus.MAJOR_OUTAGE: ("major", 10),
}


def svg(bars: Bars) -> SafeString:
    """An SVG of one path per status; each run of equal days is one dashed line. Hidden from screen readers."""
    return _drawn(bars.worst)


# Hundreds of components look as they did at the last publication, and most of them like each other.
@lru_cache(maxsize=4096)
def _drawn(days: tuple[str | None, ...]) -> SafeString:
    runs = uptime.runs(days)
    return format_html(
        '<svg viewBox="0 0 {} 20" preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        len(days),
        format_html_join("", "{}", ([_path(found, *_LINE[status])] for status, found in runs.items())),
    )


def sentence(bars: Bars) -> str:
    """`90 days: 2 days with outages, 99.98 % uptime`."""
    worst = Counter(bars.worst)
    outages = worst[ComponentStatus.PARTIAL_OUTAGE] + worst[ComponentStatus.MAJOR_OUTAGE]
    degraded, maintained = worst[ComponentStatus.DEGRADED_PERFORMANCE], worst[ComponentStatus.UNDER_MAINTENANCE]
    parts = [f"{_days(outages)} with outages" if outages else "no outages"]
    parts += [f"{_days(degraded)} with degraded performance"] if degraded else []
    parts += [f"{_days(maintained)} with maintenance"] if maintained else []
    parts += [f"no data for {_days(worst[None])}"] if worst[None] else []
    if bars.percentage is None:
        return f"{_days(len(bars.days))}: no data"
    return f"{_days(len(bars.days))}: {', '.join(parts)}, {uptime.percentage_text(bars.percentage)} uptime"


def _path(runs: list[tuple[int, int]], name: str, level: int) -> SafeString:
    lines = "".join(f"M{first} {level}h{count}" for first, count in runs)
    if not name:
        return format_html('<path d="{}"/>', lines)
    return format_html('<path class="{}" d="{}"/>', name, lines)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
