"""The picture of an outage: what stands in it, that nothing in it does anything, and what it says in words."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from incidents.models.findings import TimelineLine
from incidents.postmortem.outage_chart import outage_svg, text_alternative
from incidents.postmortem.summary import ComponentImpact, PostmortemSummary, StatusSpan

AT = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def summary(**changes: Any) -> PostmortemSummary:
    parts: dict[str, Any] = {
        "lines": tuple(TimelineLine(after(m), f"Line {m}") for m in (-2, 0, 1, 30, 48)),
        "moments": {"began": after(0), "detected": after(16), "resolved": after(48), "ended": after(48)},
        "component_impacts": (ComponentImpact("abc", "REST API", (StatusSpan("major_outage", after(0), after(45)),)),),
        "factors": (),
    }
    return PostmortemSummary(**parts | changes)


def places(svg: str, kind: str, attribute: str = "x") -> list[float]:
    values = re.findall(rf'<\w+ class="{kind}[^"]*"[^>]*? {attribute}="([\d.]+)%"', svg)
    return [float(value) for value in values]


def test_it_is_well_formed_and_names_itself() -> None:
    root = ElementTree.fromstring(outage_svg(summary(), UTC))
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == ["title", "desc"]


def test_everything_lies_within_the_picture_and_in_the_order_of_time() -> None:
    svg = str(outage_svg(summary(), UTC))
    moments = places(svg, "outage-moment", "x1")
    assert moments == sorted(moments)
    assert all(0 <= x <= 100 for x in [*moments, *places(svg, "outage-span"), *places(svg, "outage-tick")])


def test_resolution_and_the_end_of_the_impact_at_one_time_are_said_once() -> None:
    svg = str(outage_svg(summary(), UTC))
    assert "Resolved 15:02" in svg
    assert "Impact ended" not in svg


def test_numbers_that_would_touch_are_one_mark() -> None:
    svg = str(outage_svg(summary(), UTC))
    assert re.findall(r'class="outage-number"[^>]*>([^<]+)<', svg) == ["1–3", "4", "5"]


def test_a_line_of_another_day_is_listed_but_does_not_stretch_the_picture() -> None:
    late = summary(lines=(TimelineLine(after(3), "Soon"), TimelineLine(after(5000), "Days later")))
    svg = str(outage_svg(late, UTC))
    assert re.findall(r'class="outage-number"[^>]*>([^<]+)<', svg) == ["1"]
    assert max(places(svg, "outage-moment", "x1")) > 90


def test_names_cannot_become_markup_and_long_ones_are_cut_but_described() -> None:
    long = "<b>Payments & refunds for the whole of northern Europe</b>"
    svg = str(
        outage_svg(
            summary(
                component_impacts=(ComponentImpact("abc", long, (StatusSpan("major_outage", after(0), after(5)),)),)
            ),
            UTC,
        )
    )
    assert "<b>" not in svg
    assert "northern Europe&lt;/b&gt;:" in svg
    assert "…, 5 min" in svg


def test_a_long_name_loses_its_group_first() -> None:
    long = ComponentImpact(
        "abc", "Deliveries and integrations - Carrier connections", (StatusSpan("major_outage", after(0), after(5)),)
    )
    svg = str(outage_svg(summary(component_impacts=(long,)), UTC))
    assert ">Carrier connections, 5 min<" in svg
    assert "Deliveries and integrations - Carrier connections: Major Outage" in svg


def test_two_hundred_components_are_a_picture_of_twelve_and_say_so() -> None:
    component_impacts = tuple(
        ComponentImpact(str(n), f"Server {n}", (StatusSpan("major_outage", after(0), after(5)),)) for n in range(200)
    )
    svg = str(outage_svg(summary(component_impacts=component_impacts), UTC))
    assert svg.count("outage-span") == 12
    assert "And 188 more components." in text_alternative(summary(component_impacts=component_impacts), UTC)


def test_it_is_on_the_clock_of_the_page_and_names_days_where_there_are_two() -> None:
    berlin = str(outage_svg(summary(), ZoneInfo("Europe/Berlin")))
    assert "Detected 16:30" in berlin
    night = summary(moments={"began": after(0), "ended": after(900)}, lines=())
    assert re.search(r'class="outage-tick"[^>]*>Sep 22, \d\d:\d\d<', str(outage_svg(night, UTC)))


def test_what_goes_on_is_drawn_as_far_as_its_lines_reach() -> None:
    svg = str(
        outage_svg(
            summary(moments={"began": AT}, lines=(TimelineLine(after(1), "x"), TimelineLine(after(20), "y"))), UTC
        )
    )
    assert "Impact began 14:14" in svg
    assert re.findall(r'class="outage-number"[^>]*>([^<]+)<', svg) == ["1", "2"]


def test_a_component_that_is_still_harmed_is_drawn_until_now() -> None:
    component_impacts = (ComponentImpact("abc", "REST API", (StatusSpan("major_outage", after(8), after(42)),)),)
    svg = str(
        outage_svg(
            summary(moments={"began": AT, "acknowledged": after(8)}, component_impacts=component_impacts, lines=()), UTC
        )
    )
    assert max(float(x) for x in re.findall(r'outage-span"[^>]* width="([\d.]+)%"', svg)) > 50


def test_without_time_there_is_no_picture() -> None:
    assert outage_svg(summary(moments={}, lines=(), component_impacts=()), UTC) == ""
    assert outage_svg(summary(moments={"began": AT}, lines=(TimelineLine(AT, "x"),), component_impacts=()), UTC) == ""


def test_a_month_and_a_second_both_have_a_few_round_ticks() -> None:
    for minutes in (0.02, 3, 61, 1440, 45_000, 600_000):
        svg = str(
            outage_svg(
                summary(moments={"began": after(0), "ended": after(minutes)}, lines=(), component_impacts=()), UTC
            )
        )
        assert len(places(svg, "outage-tick")) <= 6


def test_what_was_harmed_for_seconds_was_harmed_for_a_minute_as_elsewhere() -> None:
    brief = summary(
        component_impacts=(ComponentImpact("abc", "REST API", (StatusSpan("major_outage", after(0), after(0.4)),)),)
    )
    assert "REST API, 1 min<" in str(outage_svg(brief, UTC))


@pytest.mark.parametrize("start", [datetime(2026, 3, 29, 0, 20, tzinfo=UTC), datetime(2026, 10, 25, 0, 20, tzinfo=UTC)])
@pytest.mark.parametrize("hours", [1.5, 3, 20])
def test_ticks_are_times_that_the_clock_showed_each_once_and_in_order(start: datetime, hours: float) -> None:
    berlin, end = ZoneInfo("Europe/Berlin"), start + timedelta(hours=hours)
    svg = str(outage_svg(summary(lines=(), component_impacts=(), moments={"began": start, "ended": end}), berlin))
    ticks = places(svg, "outage-tick")
    assert ticks == sorted(set(ticks))
    assert 2 <= len(ticks) <= 5
    shown = re.findall(r'class="outage-tick"[^>]*>([^<]+)<', svg)
    minutes = [start + timedelta(minutes=n) for n in range(int(hours * 60) + 1)]
    assert set(shown) <= {f"{at.astimezone(berlin):%H:%M}" for at in minutes}


def test_thousands_of_years_are_drawn_too() -> None:
    ends = {"began": datetime(1901, 1, 1, tzinfo=UTC), "ended": datetime(8999, 12, 31, tzinfo=UTC)}
    assert places(str(outage_svg(summary(moments=ends, lines=(TimelineLine(AT, "Now"),)), UTC)), "outage-tick")
