"""Draw a row of days as SVG and describe it in a sentence. Not a template, because a page can have thousands."""

from collections import Counter
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from incidents.models.states import ComponentStatus
from incidents.reporting import uptime
from incidents.reporting.uptime import Bars

# The CSS class of each status, short because a page has hundreds, and the vertical position of its line in an SVG 20
# units high. With its width in CSS, the line stands on the baseline. A worse status has a higher bar, so that the
# status does not depend on color alone.
_LINE = {
    "": ("none", 19),
    ComponentStatus.OPERATIONAL: ("", 14),
    ComponentStatus.UNDER_MAINTENANCE: ("maintained", 16),
    ComponentStatus.DEGRADED_PERFORMANCE: ("degraded", 13),
    ComponentStatus.PARTIAL_OUTAGE: ("partial", 12),
    ComponentStatus.MAJOR_OUTAGE: ("major", 10),
}


def svg(bars: Bars) -> SafeString:
    """Return an SVG with one path per status, hidden from screen readers."""
    return _svg(bars.worst)


# Most components have the same days as others, and as at the last publication.
@lru_cache(maxsize=4096)
def _svg(days: tuple[str | None, ...]) -> SafeString:
    runs = uptime.runs(days)
    return format_html(
        '<svg viewBox="0 0 {} 20" preserveAspectRatio="none" aria-hidden="true">{}</svg>',
        len(days),
        format_html_join("", "{}", ([_path(status_runs, *_LINE[status])] for status, status_runs in runs.items())),
    )


def sentence(bars: Bars) -> str:
    """Return `90 days: 2 days with outages, 99.98 % uptime`."""
    worst = Counter(bars.worst)
    outages = worst[ComponentStatus.PARTIAL_OUTAGE] + worst[ComponentStatus.MAJOR_OUTAGE]
    degraded, maintained = worst[ComponentStatus.DEGRADED_PERFORMANCE], worst[ComponentStatus.UNDER_MAINTENANCE]
    parts = [f"{_days(outages)} with outages" if outages else "no outages"]
    parts += [f"{_days(degraded)} with degraded performance"] if degraded else []
    parts += [f"{_days(maintained)} with maintenance"] if maintained else []
    parts += [f"no data for {_days(worst[None])}"] if worst[None] else []
    if bars.percentage is None:
        return f"{_days(len(bars.worst))}: no data"
    return f"{_days(len(bars.worst))}: {', '.join(parts)}, {uptime.percentage_text(bars.percentage)} uptime"


def _path(runs: list[tuple[int, int]], name: str, level: int) -> SafeString:
    lines = "".join(f"M{first} {level}h{count}" for first, count in runs)
    if not name:
        return format_html('<path d="{}"/>', lines)
    return format_html('<path class="{}" d="{}"/>', name, lines)


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
