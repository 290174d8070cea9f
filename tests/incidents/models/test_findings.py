"""What a postmortem states beside its text, as JSON and back, and what follows from it. No database."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from incidents.models.findings import Findings, TimelineLine, digest
from incidents.postmortem.summary import (
    ComponentImpact,
    PostmortemSummary,
    StatusSpan,
    TimelineFacts,
    postmortem_summary_of,
)

AT = datetime(2022, 9, 21, 14, 14, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


FINDINGS = Findings(
    timeline=(
        TimelineLine(after(0), "It fails"),
        TimelineLine(after(5), "Ada wakes up", is_public=False, source="log:1"),
    ),
    impact_started_at=after(-3),
    detected_at=after(2),
    impact_ended_at=after(48),
    seconds={"abc": 61},
    factors=("No alarm",),
)
RECORD = TimelineFacts(
    {"began": after(0), "acknowledged": after(4), "fixed": None, "resolved": after(60), "ended": after(60)},
    [
        (
            "abc",
            "API",
            (StatusSpan("major_outage", after(-10), after(20)), StatusSpan("operational", after(20), after(90))),
        ),
        ("xyz", "Web", (StatusSpan("degraded_performance", after(30), after(70)),)),
    ],
)


def test_findings_come_back_as_they_were() -> None:
    assert Findings.read(FINDINGS.as_json(), impact_started_at=after(-3)) == FINDINGS


def test_the_start_of_the_impact_is_the_incidents_and_not_kept_twice() -> None:
    assert "impact_started_at" not in FINDINGS.as_json()
    assert Findings(impact_started_at=AT).as_json() == {}


@pytest.mark.parametrize(
    "raw",
    [
        {"timeline": "no list"},
        {
            "timeline": [
                7,
                {"text": "no time"},
                {"at": "yesterday", "text": "x"},
                {"at": "2022-09-21T14:14:00", "text": 1},
            ]
        },
        {"detected_at": 7, "fixed_at": "2022-09-21T14:14:00"},
        {"seconds": [1], "factors": {"a": 1}},
        {"seconds": {"abc": "long"}, "factors": [1, None]},
    ],
)
def test_what_does_not_fit_is_left_out(raw: dict[str, Any]) -> None:
    assert Findings.read(raw) == Findings()


def test_filling_adds_only_what_no_line_stands_for_yet() -> None:
    lines = [
        TimelineLine(after(5), "Ada woke up", source="log:1"),
        TimelineLine(after(1), "It is red", source="status:abc"),
    ]
    filled = FINDINGS.with_missing(lines)
    assert [line.text for line in filled.timeline] == ["It fails", "It is red", "Ada wakes up"]


def test_what_is_stated_goes_before_what_follows_from_the_record() -> None:
    summary = postmortem_summary_of(FINDINGS, RECORD)
    assert summary.moments == {
        "began": after(-3),
        "detected": after(2),
        "acknowledged": after(4),
        "resolved": after(60),
        "ended": after(48),
    }
    assert summary.measures == [
        ("Time to detect", timedelta(minutes=5)),
        ("Time to acknowledge", timedelta(minutes=7)),
        ("Time to resolve", timedelta(minutes=63)),
    ]
    assert summary.lasted == timedelta(minutes=51)


def test_a_component_is_harmed_only_while_the_impact_lasts_and_its_seconds_can_be_stated() -> None:
    api, web = postmortem_summary_of(FINDINGS, RECORD).component_impacts
    assert api.spans == (StatusSpan("major_outage", after(-3), after(20)),)
    assert (api.recorded, api.lasted) == (timedelta(minutes=23), timedelta(seconds=61))
    assert (web.spans, web.lasted) == (
        (StatusSpan("degraded_performance", after(30), after(48)),),
        timedelta(minutes=18),
    )


def test_an_hour_that_the_clock_showed_twice_counts_twice() -> None:
    began, detected = (datetime(2026, 10, 25, hour, tzinfo=ZoneInfo("Europe/Berlin")) for hour in (1, 4))
    typed = Findings(impact_started_at=began, detected_at=detected)
    assert postmortem_summary_of(typed, TimelineFacts({}, [])).measures == [("Time to detect", timedelta(hours=4))]


def test_only_public_lines_are_in_the_account() -> None:
    summary = postmortem_summary_of(FINDINGS, RECORD)
    assert [line.text for line in summary.lines] == ["It fails"]
    assert "Ada" not in str(summary.as_json())


def test_an_account_comes_back_as_it_was() -> None:
    summary = postmortem_summary_of(FINDINGS, RECORD)
    assert PostmortemSummary.read(summary.as_json()) == summary
    assert PostmortemSummary.read({}) is None


def test_a_damaged_account_shows_what_can_be_read_and_no_private_line() -> None:
    private = {"at": "2022-09-21T14:14:00Z", "text": "secret", "is_public": False}
    component_impacts = [3, {"name": "API", "spans": [["on_fire", 1, 2], ["major_outage", "x", "y"], 5]}]
    summary = PostmortemSummary.read(
        {"lines": [private], "moments": [], "harms": component_impacts, "factors": "x", "stated": 1}
    )
    assert summary == PostmortemSummary((), {}, (ComponentImpact("", "API"),), (), "1")


def test_a_time_before_the_impact_gives_no_measure() -> None:
    early = postmortem_summary_of(Findings(detected_at=after(-5)), RECORD)
    assert "Time to detect" not in dict(early.measures)


def test_told_in_words_it_names_times_lengths_and_factors() -> None:
    text = postmortem_summary_of(FINDINGS, RECORD).as_markdown(UTC)
    assert "- Sep 21, 2022 - 14:14 UTC: It fails" in text
    assert "- Time to detect: 5 minutes" in text
    assert "- Web: 18 minutes" in text
    assert "## Contributing factors\n\n- No alarm" in text
    assert "Ada" not in text


def test_a_digest_says_whether_anything_is_stated() -> None:
    assert digest({}, "") == ""
    assert digest(FINDINGS.as_json()) == digest(FINDINGS.as_json())
    assert digest({"a": 1}) != digest({"a": 2})
