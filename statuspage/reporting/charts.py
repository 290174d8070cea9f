"""Draw charts as SVG. Pure functions.

The SVG has no colors or fonts, only classes (static/css/figures.css), so that it follows the theme of the page.
Horizontal positions are percentages; text keeps its size. Every chart has a text alternative in `<title>` and `<desc>`,
and the page has a table with the same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

TOP, BOTTOM = 24.0, 232.0
LEFT, RIGHT = 12.0, 99.0
HEIGHT = 276
_MINUTE_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 5760, 10080, 20160, 40320)


@dataclass(frozen=True)
class Column:
    """A column of the chart. `low` and `high` are None without data."""

    label: str
    note: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ChartPoint:
    """A point of a line. `along` is 0 at the left edge and 1 at the right edge."""

    along: float
    value: float


def spread_chart(
    key: str, title: str, description: str, columns: Sequence[Column], *, unit: Callable[[float], str]
) -> SafeString:
    """Draw a dot at the `low` of each column, a ring at its `high`, and a line between them.

    `key` is the prefix of the element ids. Values are minutes; `unit` formats the values of the axis.
    """
    top = max((column.high for column in columns if column.high is not None), default=0.0)
    step = _step(top)
    ceiling = max(step, -(-top // step) * step)
    marks = [_mark(column, _across((n + 0.5) / len(columns)), ceiling) for n, column in enumerate(columns)]
    return _frame(
        key, title, description, _grid(0, ceiling, step, unit), format_html_join("", "{}", ([m] for m in marks))
    )


def budget_chart(
    key: str,
    title: str,
    description: str,
    *,
    budget: float,
    points: Sequence[ChartPoint],
    ends: tuple[str, str],
    unit: Callable[[float], str],
) -> SafeString:
    """Draw the rest of `budget` as a line through `points`, and the budget as a second line.

    `ends` are the labels of the left and the right edge.
    """
    lowest = min(0.0, *(point.value for point in points))
    step = _step(max(budget, 0) - lowest)
    floor, ceiling = (lowest // step) * step, max(step, -(-budget // step) * step)
    if lowest < 0 and budget == 0:
        ceiling = 0.0
    places = " ".join(f"{point.along * 1000:.2f},{_up(point.value, floor, ceiling) - TOP:.2f}" for point in points)
    level = f"{_up(budget, floor, ceiling):.1f}"
    last = points[-1]
    inside = format_html(
        '<line class="chart-budget" x1="{left}%" x2="{right}%" y1="{level}" y2="{level}"/>'
        '<svg x="{left}%" y="{top}" width="{width}%" height="{height}" viewBox="0 0 1000 {height}"'
        ' preserveAspectRatio="none" overflow="visible"><polyline class="chart-line" points="{places}"/></svg>'
        '<circle class="chart-dot" cx="{x}%" cy="{y}" r="4"/>'
        '<text class="chart-label" x="{left}%" y="{below}">{first}</text>'
        '<text class="chart-label chart-end" x="{right}%" y="{below}">{second}</text>',
        left=LEFT, right=RIGHT, width=RIGHT - LEFT, top=TOP, height=BOTTOM - TOP, level=level, places=places,
        x=f"{_across(last.along):.2f}", y=f"{_up(last.value, floor, ceiling):.1f}", below=BOTTOM + 18,
        first=ends[0], second=ends[1],
    )  # fmt: skip
    return _frame(key, title, description, _grid(floor, ceiling, step, unit), inside)


def _frame(key: str, title: str, description: str, grid: SafeString, inside: SafeString) -> SafeString:
    return format_html(
        '<svg class="chart" role="img" width="100%" height="{height}" aria-labelledby="{key}-title {key}-desc">'
        '<title id="{key}-title">{title}</title><desc id="{key}-desc">{description}</desc>{grid}{inside}</svg>',
        key=key, height=HEIGHT, title=title, description=description, grid=grid, inside=inside,
    )  # fmt: skip


def _grid(floor: float, ceiling: float, step: float, unit: Callable[[float], str]) -> SafeString:
    """Draw a line at every step with its value above it, and a stronger one at zero."""
    values = [floor + step * n for n in range(round((ceiling - floor) / step) + 1)]
    rows = (("chart-zero" if value == 0 else "chart-grid", _up(value, floor, ceiling), unit(value)) for value in values)
    return format_html_join(
        "",
        '<line class="{0}" x1="0" x2="100%" y1="{1}" y2="{1}"/><text class="chart-label" x="0" y="{2}">{3}</text>',
        ((kind, f"{y:.1f}", f"{y - 4:.1f}", text) for kind, y, text in rows),
    )


def _mark(column: Column, x: float, ceiling: float) -> SafeString:
    position = f"{x:.2f}"
    labels = format_html(
        '<text class="chart-label chart-middle" x="{0}%" y="{1}">{2}</text>'
        '<text class="chart-label chart-middle chart-note" x="{0}%" y="{3}">{4}</text>',
        position, BOTTOM + 18, column.label, BOTTOM + 36, column.note,
    )  # fmt: skip
    if column.low is None or column.high is None:
        return labels
    low, high = (f"{_up(value, 0, ceiling):.1f}" for value in (column.low, column.high))
    shape = format_html(
        '<line class="chart-range" x1="{0}%" x2="{0}%" y1="{1}" y2="{2}"/>'
        '<circle class="chart-ring" cx="{0}%" cy="{2}" r="4"/><circle class="chart-dot" cx="{0}%" cy="{1}" r="4"/>',
        position, low, high,
    )  # fmt: skip
    return format_html("{}{}", shape, labels)


def _step(span: float) -> float:
    """Return the smallest step in minutes that divides `span` into at most four; below two minutes, in tenths."""
    if span <= 2:
        return next(step for step in (0.1, 0.2, 0.5, 1.0) if span / step <= 4)
    return next((step for step in _MINUTE_STEPS if span / step <= 4), _MINUTE_STEPS[-1] * (span // 160_000 + 1))


def _across(along: float) -> float:
    return LEFT + (RIGHT - LEFT) * along


def _up(value: float, floor: float, ceiling: float) -> float:
    return BOTTOM - (value - floor) / (ceiling - floor) * (BOTTOM - TOP)
