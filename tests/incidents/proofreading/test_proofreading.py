from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from incidents.models.states import Impact, Kind
from incidents.proofreading import Action, PageFacts, ProofreadingOptions, Record, Remark, Severity, proofread
from incidents.proofreading.leaks import matches
from tests.incidents.proofreading.corpus import OPEN, PAGE, SEPTEMBER, read, score

EXAMPLE = Path(__file__).parents[3] / "shared" / "examples" / "incident-report.txt"
BERLIN = replace(PAGE, zone=ZoneInfo("Europe/Berlin"))


def codes(text: str, record: Record = SEPTEMBER, page: PageFacts = PAGE) -> list[str]:
    return [remark.code for remark in proofread(text, record, page)]


def the_remark(text: str, code: str, record: Record = SEPTEMBER, page: PageFacts = PAGE) -> Remark:
    (remark,) = [remark for remark in proofread(text, record, page) if remark.code == code]
    return remark


def corrected(text: str, record: Record = SEPTEMBER, page: PageFacts = PAGE) -> str:
    """The text after every fix that is offered, from the last to the first."""
    for remark in reversed(proofread(text, record, page)):
        if remark.suggestion is not None:
            text = text[: remark.start] + remark.suggestion + text[remark.end :]
    return text


@pytest.mark.parametrize("name", ["corpus.txt", "held_out.txt"])
def test_it_finds_what_is_labelled_and_little_else(name: str) -> None:
    sentences = read(name)
    result = score(sentences)
    assert len(sentences) > 90
    assert result.precision(*result.codes) >= 0.95, result.mistakes
    assert result.recall(*result.codes) >= 0.9, result.mistakes


def test_every_rule_has_right_and_wrong_sentences_and_is_right_about_most() -> None:
    result = score(read("corpus.txt"))
    assert len(result.codes) == 24
    for code in result.codes:
        assert result.right[code] + result.missed[code] >= 2, code
        assert result.precision(code) >= 0.9, code
        assert result.recall(code) >= 0.8, code
    assert sum(not sentence.marks for sentence in read("corpus.txt")) >= 60


def test_the_report_that_this_began_with_has_exactly_its_three_wrong_times() -> None:
    if not EXAMPLE.exists():  # it is not ours to copy into the repository
        return
    text = EXAMPLE.read_text(encoding="utf-8")
    report = replace(SEPTEMBER, written_at=datetime(2022, 9, 22, 19, 35, tzinfo=UTC), is_postmortem=True)
    remarks = proofread(text, report, PageFacts(components=("REST API",)))
    wrong = [remark for remark in remarks if remark.code.startswith(("time", "date"))]
    assert [(remark.code, text[remark.start : remark.end], remark.suggestion) for remark in wrong] == [
        ("time-window", "10:00 AM UTC to 2:00 PM UTC", "@2022-09-21 14:14 to @2022-09-21 15:02"),
        ("time-conversion", "13:00 UTC", "14:00 UTC"),
        ("time-conversion", "13:18 UTC", "14:18 UTC"),
    ]
    # Beside them it misses a heading, and nothing else.
    assert [remark.code for remark in remarks if remark not in wrong] == ["section-missing"]


def test_an_empty_text_gets_no_remark() -> None:
    assert proofread(" \n", OPEN, PAGE) == []


def test_a_wrong_conversion_is_explained_and_put_right() -> None:
    remark = the_remark("On September 21 at 7:00 AM PT (13:00 UTC) it began.", "time-conversion")
    assert remark.message == "7:00 AM PT on Sep 21, 2022 was 14:00 UTC, not 13:00 UTC."
    assert (remark.severity, remark.suggestion) == (Severity.ERROR, "14:00 UTC")


def test_the_side_that_lies_outside_the_record_is_the_wrong_one() -> None:
    assert corrected("It began at 13:14 UTC (7:14 AM PDT).") == "It began at 14:14 UTC (7:14 AM PDT)."


def test_a_date_in_the_text_decides_the_season_of_a_conversion() -> None:
    assert codes("On December 1, 2022 at 7:00 AM PT (15:00 UTC) we tried again.") == []
    assert codes("On December 1, 2022 at 7:00 AM PT (14:00 UTC) we tried again.") == ["time-conversion"]


def test_the_wrong_letters_are_one_remark_and_not_a_wrong_conversion_too() -> None:
    assert codes("At 7:14 AM PST (14:14 UTC) it began.") == ["time-season"]


def test_a_window_is_replaced_by_the_record_in_the_shorthand() -> None:
    text = "The outage lasted from about 10:00 AM UTC to 2:00 PM UTC."
    assert corrected(text) == "The outage lasted from about @14:14 to @15:02."
    assert corrected(text, page=BERLIN) == "The outage lasted from about @16:14 to @17:02."


def test_an_impact_that_began_before_the_first_report_widens_the_record() -> None:
    earlier = replace(SEPTEMBER, impact_started_at=datetime(2022, 9, 21, 12, 30, tzinfo=UTC))
    assert codes("Checkout was down from 12:30 to 15:02 UTC.") == ["time-window"]
    assert codes("Checkout was down from 12:30 to 15:02 UTC.", earlier) == []
    assert codes("The outage lasted two and a half hours.", earlier) == []
    assert codes("The outage lasted 48 minutes.", earlier) == []


def test_a_window_over_midnight_is_understood() -> None:
    night = replace(
        SEPTEMBER,
        started_at=datetime(2022, 9, 21, 23, 30, tzinfo=UTC),
        resolved_at=datetime(2022, 9, 22, 1, 10, tzinfo=UTC),
    )
    assert codes("Logins failed from 23:30 to 01:10 UTC.", night) == []
    assert codes("Logins failed from 21:30 to 23:10 UTC.", night) == ["time-window"]


def test_while_it_goes_on_nothing_is_said_about_how_long_it_lasted() -> None:
    assert "time-duration" not in codes("The outage lasted 4 hours. Next update at 18:00 UTC.", OPEN)


def test_relative_days_become_dates_of_the_page_and_keep_the_sentence() -> None:
    assert corrected("Today it failed.") == "On September 21 it failed."
    assert corrected("It has worked since yesterday.") == "It has worked since September 20."
    late = replace(SEPTEMBER, written_at=datetime(2022, 9, 21, 23, 0, tzinfo=UTC))
    assert corrected("It failed today.", late, BERLIN) == "It failed on September 22."


def test_a_time_without_a_zone_becomes_the_shorthand() -> None:
    assert corrected("We restarted it at 2:25 PM.") == "We restarted it at @14:25."


def test_one_word_on_all_times_is_a_zone_for_each_of_them() -> None:
    assert codes("All times are in UTC. We restarted it at 14:25.") == []
    assert codes("Orders made between 22:00 and midnight UTC were late.") == []


def test_what_it_was_that_lasted_is_not_guessed() -> None:
    assert codes("The take-over was slow. It lasted six minutes.") == []
    assert codes("It lasted six hours.") == ["time-duration"]


def test_times_in_code_are_left_alone_but_leaks_in_it_are_found() -> None:
    assert codes("The log says:\n\n```\nat 13:00 PM TODO 10.0.0.4\n```\n") == ["leak-address"]


def test_positions_count_characters_whatever_they_are() -> None:
    text = "🔥🔥 At 7:00 AM PT (13:00 UTC) it began."
    remark = the_remark(text, "time-conversion")
    assert text[remark.start : remark.end] == "13:00 UTC"


def test_the_next_update_is_asked_for_only_of_the_newest_word_about_an_open_incident() -> None:
    remark = the_remark("We are looking.", "next-update", OPEN)
    assert (remark.start, remark.end) == (15, 15)
    assert corrected("We are looking.", OPEN) == "We are looking.\n\nNext update by @16:15."
    assert codes(corrected("We are looking.", OPEN), OPEN) == []
    assert codes("We are looking.", replace(OPEN, awaits_update=False)) == []
    assert codes("We are looking.", replace(OPEN, kind=Kind.MAINTENANCE)) == []


def test_vague_numbers_matter_only_when_the_impact_is_major() -> None:
    assert codes("Some users saw errors.", replace(SEPTEMBER, impact=Impact.MINOR)) == []
    critical = replace(SEPTEMBER, impact=Impact.CRITICAL)
    assert codes("Some users saw errors.", critical) == ["vague-number"]
    assert codes("At 14:20 UTC some users saw errors.", critical) == ["vague-number"]
    assert codes("At 14:20 UTC some users, 3 % of all, saw errors.", critical) == []


def test_a_postmortem_is_asked_for_its_sections_and_for_who_does_what_until_when() -> None:
    actions = (
        Action("Upgrade the client", "Ana", date(2022, 10, 1)),
        Action("Add an alarm", "", None),
        Action("Test the failover", "Ben", None),
    )
    report = replace(SEPTEMBER, is_postmortem=True, actions=actions)
    text = "## What happened\n\nIt broke.\n\n## Impact\n\nAll.\n\n## Root cause\n\nA cache.\n"
    assert codes(text, report) == ["action-date", "action-owner", "section-missing"]
    assert "Add an alarm" in the_remark(text, "action-owner", report).message
    assert "no owner and no date" in the_remark(text, "action-owner", report).message
    assert "## What we do now" in corrected(text, report)
    assert codes(text + "\n## Going forward\n\nMore tests.", replace(report, actions=actions[:1])) == []


def test_everything_that_a_postmortem_lacks_is_said() -> None:
    actions = tuple(Action(text, "", None) for text in ("Add an alarm", "Upgrade the client"))
    report = replace(SEPTEMBER, is_postmortem=True, actions=actions)
    assert codes("It broke.", report) == ["action-owner"] * 2 + ["section-missing"] * 4


def test_headings_without_marks_count_as_sections() -> None:
    text = "Summary\n\nIt broke.\n\nImpact\n\nAll.\n\nWhy it was not noticed\n\nNo alarm.\n\nNext steps\n\nMore tests."
    assert codes(text, replace(SEPTEMBER, is_postmortem=True)) == []


def test_a_postmortem_may_be_long() -> None:
    page = replace(PAGE, options=ProofreadingOptions(max_words=5))
    assert codes("One two three four five six.", page=page) == ["too-long"]
    assert "too-long" not in codes("One two three four five six.", replace(SEPTEMBER, is_postmortem=True), page)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*.prod.example", "db.prod.example", True),
        ("*.prod.example", "prod.example", False),
        ("db-*", "db-7", True),
        ("db-*", "web-7", False),
        ("*a*a*b", "a" * 200, False),
        ("*", "anything", True),
    ],
)
def test_a_star_stands_for_anything(pattern: str, name: str, *, expected: bool) -> None:
    assert matches(pattern, name) is expected


def test_options_that_are_missing_or_broken_have_their_defaults() -> None:
    assert ProofreadingOptions.read({}) == ProofreadingOptions()
    assert ProofreadingOptions.read({"max_words": "many"}) == ProofreadingOptions()
    assert ProofreadingOptions.read({"blocks": 7}) == ProofreadingOptions()


def test_options_survive_being_kept_and_read() -> None:
    options = ProofreadingOptions.checked(hosts=["db-*"], customers=["Acme & Söhne"], max_words=90, blocks=["error"])
    assert ProofreadingOptions.read(options.as_json()) == options


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hosts", ["db 7"]),
        ("hosts", ["**"]),
        ("hosts", ["x" * 101]),
        ("customers", ["!!!"]),
        ("customers", [f"Customer {n}" for n in range(501)]),
        ("max_words", 0),
        ("max_words", True),
        ("blocks", ["loud"]),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        ProofreadingOptions.checked(**{field: value})
    assert list(caught.value.message_dict) == [field]


def test_remarks_come_in_the_order_of_the_text_and_none_twice() -> None:
    text = "TODO: at 7:00 AM PT (13:00 UTC) 10.0.0.4 failed yesterday."
    remarks = proofread(text, SEPTEMBER, PAGE)
    assert [r.code for r in remarks] == ["todo", "time-conversion", "leak-address", "time-relative"]
    assert len(set(remarks)) == len(remarks)


def test_a_record_that_ends_before_it_begins_is_no_reason_to_fail() -> None:
    odd = replace(SEPTEMBER, resolved_at=SEPTEMBER.started_at - timedelta(hours=1))
    proofread("The outage lasted from 10:00 to 11:00 UTC, for 1 hour.", odd, PAGE)
