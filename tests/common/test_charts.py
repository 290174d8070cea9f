"""Charts say in pixels what they were given in numbers, and say it in words too."""

from itertools import pairwise

import pytest

from statuspage.reporting.charts import ChartPoint, Column, budget_chart, spread_chart
from tests.public.parsed_page import Element, parse


def minutes(value: float) -> str:
    return f"{value:g} min"


def spread(*columns: Column) -> Element:
    return parse(spread_chart("key", "How long", "In words.", columns, unit=minutes)).one("svg")


def burn(budget: float, *values: float) -> Element:
    points = [ChartPoint(number / 10, value) for number, value in enumerate(values)]
    made = budget_chart(
        "key", "Budget", "In words.", budget=budget, points=points, ends=("Oct 1", "Oct 31"), unit=minutes
    )
    return parse(made).all("svg")[0]


def heights(chart: Element) -> dict[str, float]:
    """The axis: each value's words and the height of its line."""
    lines = [line for line in chart.all("line") if line.classes[0] in ("chart-grid", "chart-zero")]
    labels = [text for text in chart.all("text") if text.attributes["x"] == "0"]
    return {text.text: float(line.attributes["y1"]) for text, line in zip(labels, lines, strict=True)}


def value_at(chart: Element, y: float) -> float:
    """Back from a height to the number, by the axis that is drawn."""
    axis = sorted((float(label.split()[0]), height) for label, height in heights(chart).items())
    (low, bottom), (high, top) = axis[0], axis[-1]
    return low + (bottom - y) / (bottom - top) * (high - low)


@pytest.mark.parametrize("chart", [spread(Column("Oct", "3", 20, 45)), burn(44.7, 44.7, 12)])
def test_a_chart_is_an_image_with_a_name_and_a_description(chart: Element) -> None:
    assert chart.attributes["role"] == "img"
    title, description = (chart.one(tag) for tag in ("title", "desc"))
    assert chart.attributes["aria-labelledby"] == f"{title.attributes['id']} {description.attributes['id']}"
    assert description.text == "In words."


@pytest.mark.parametrize("chart", [spread(Column("Oct", "3", 20, 45)), burn(44.7, 44.7, 12)])
def test_a_chart_has_classes_and_no_styles(chart: Element) -> None:
    for element in chart.walk():
        assert not {"style", "fill", "stroke", "font-size"} & element.attributes.keys()


def test_dots_and_rings_stand_at_their_values() -> None:
    chart = spread(Column("Sep", "2", 5, 10), Column("Oct", "3", 20, 45))
    for kind, values in (("dot", [5, 20]), ("ring", [10, 45])):
        marks = chart.all("circle", class_=f"chart-{kind}")
        assert [value_at(chart, float(mark.attributes["cy"])) for mark in marks] == pytest.approx(values, abs=0.2)


def test_a_month_without_a_figure_keeps_its_place_and_draws_nothing() -> None:
    chart = spread(Column("Sep", "–"), Column("Oct", "3", 20, 45))
    assert len(chart.all("circle", class_="chart-dot")) == 1
    assert [text.text for text in chart.all("text", class_="chart-middle")] == ["Sep", "–", "Oct", "3"]


@pytest.mark.parametrize("top", [0, 0.4, 3, 59, 60, 61, 1_000, 10_000, 100_000, 10_000_000])
def test_an_axis_has_at_most_five_lines_and_none_below_what_is_shown(top: float) -> None:
    axis = heights(spread(Column("Oct", "1", 0, top)))
    assert 2 <= len(axis) <= 6
    assert all(upper > lower for lower, upper in pairwise(sorted(axis.values())))
    assert max(float(label.split()[0]) for label in axis) >= top


def test_an_empty_chart_still_has_an_axis() -> None:
    assert len(heights(spread(*(Column(month, "–") for month in ("Sep", "Oct"))))) >= 2


@pytest.mark.parametrize("values", [(44.7, 44.7, 12), (44.7, -3.3), (44.7, -500), (0, 0, -3), (0, 0), (0.5, 0.1)])
def test_the_budget_line_ends_at_what_is_left(values: tuple[float, ...]) -> None:
    chart = burn(values[0], *values)
    scale = max(abs(value) for value in values) or 1
    dot = float(chart.one("circle", class_="chart-dot").attributes["cy"])
    level = float(chart.one("line", class_="chart-budget").attributes["y1"])
    assert value_at(chart, dot) == pytest.approx(values[-1], abs=scale / 100)
    assert value_at(chart, level) == pytest.approx(values[0], abs=scale / 100)
    assert len(chart.one("polyline").attributes["points"].split()) == len(values)
    assert all(0 <= y <= 276 for y in heights(chart).values())


def test_words_in_a_chart_are_text_and_never_markup() -> None:
    chart = spread_chart("key", "<b>", "a & b", [Column("<i>", "\"'", 1, 2)], unit=lambda _: "<u>")
    assert not {"<b>", "<i>", "<u>"} & set(chart.split())
    assert "&lt;b&gt;" in chart
    assert "a &amp; b" in chart
