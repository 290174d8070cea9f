"""RFC 5545 rules on a wall clock: what is refused, and what holds in every zone, gap and fold."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents import recurrence
from incidents.recurrence import RuleError

START = datetime(2026, 3, 1, 2)  # noqa: DTZ001 - a wall-clock time, and a Sunday
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"})).map(ZoneInfo)
LOCAL_TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31))  # noqa: DTZ001
RULES = st.builds(
    lambda frequency, interval: f"FREQ={frequency};INTERVAL={interval}",
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
) | st.sampled_from(["FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=2"])


def refusal(rule: str, start: datetime = START, zone: str = "Europe/Berlin") -> tuple[str, str]:
    with pytest.raises(RuleError) as caught:
        recurrence.check(rule, starts_at=start, time_zone=zone)
    return caught.value.field, str(caught.value)


def starts(rule: str, zone: str, count: int = 4, start: datetime = START) -> list[datetime]:
    """In the zone's own time."""
    slots = recurrence.upcoming(rule, starts_at=start, zone=ZoneInfo(zone), after=BEFORE, count=count)
    return [slot.starts_at.astimezone(ZoneInfo(zone)) for slot in slots]


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("", "Enter a rule"),
        ("every sunday", "not a part of a rule"),
        ("BYDAY=SU", "FREQ is missing"),
        ("FREQ=SOMETIMES", "FREQ cannot be SOMETIMES"),
        ("FREQ=HOURLY", "once a day"),
        ("FREQ=MINUTELY;INTERVAL=5", "once a day"),
        ("FREQ=SECONDLY", "once a day"),
        ("FREQ=DAILY;BYHOUR=2,14", "BYHOUR is not supported"),
        ("FREQ=DAILY;BYMINUTE=0,1,2", "first start"),
        ("FREQ=DAILY;BYEASTER=0", "not a part of a rule"),
        ("FREQ=DAILY;FREQ=WEEKLY", "appears twice"),
        ("FREQ=WEEKLY\nEXDATE:20260301T020000", "not a valid value for FREQ"),
        ("FREQ=WEEKLY;BYDAY=XX", "“XX” is not a valid value for BYDAY"),
        ("FREQ=WEEKLY;BYDAY=2SU", "needs FREQ=MONTHLY or FREQ=YEARLY"),
        ("FREQ=MONTHLY;BYDAY=6SU", "Use 1 to 5"),
        ("FREQ=YEARLY;BYDAY=0SU", "Use 1 to 53"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH cannot be 13"),
        ("FREQ=DAILY;BYMONTH=-1", "BYMONTH cannot be -1"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY cannot be 0"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "needs FREQ=DAILY or MONTHLY or YEARLY"),
        ("FREQ=MONTHLY;BYWEEKNO=1", "BYWEEKNO needs FREQ=YEARLY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be from 1"),
        ("FREQ=DAILY;INTERVAL=1001", "to 1000"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be at least 1"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "not both"),
        ("FREQ=DAILY;UNTIL=20270230", "no such day"),
        ("FREQ=DAILY;BYSETPOS=1", "needs another"),
        ("FREQ=WEEKLY;BYDAY=" + ",".join(["SU"] * 200), "limit is 500"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_plain_words(rule: str, complaint: str) -> None:
    field, message = refusal(rule)
    assert field == "rule"
    assert complaint in message


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
        "FREQ=WEEKLY;UNTIL=20200101",
    ],
)
def test_a_rule_that_never_fires_is_refused(rule: str) -> None:
    assert "no occurrences" in refusal(rule)[1]


def test_unknown_zones_and_starts_with_a_zone_are_refused_at_their_fields() -> None:
    assert refusal("FREQ=DAILY", zone="Europe/Atlantis")[0] == "time_zone"
    assert refusal("FREQ=DAILY", start=datetime(2026, 3, 1, 2, tzinfo=UTC))[0] == "starts_at"


def test_a_rule_is_kept_in_one_spelling() -> None:
    normalized = recurrence.check("RRULE:freq=weekly; byday=su;", starts_at=START, time_zone="Etc/UTC")
    assert normalized == "FREQ=WEEKLY;BYDAY=SU"
    assert recurrence.check(normalized, starts_at=START, time_zone="Etc/UTC") == normalized


def test_every_second_sunday_at_two_stays_at_two_across_the_clock_changes() -> None:
    occurrences = starts("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "Europe/Berlin", count=26)
    # The one exception is a night without 02:00: 29 March 2026, read with the offset before the gap.
    odd = [occurrence for occurrence in occurrences if (occurrence.hour, occurrence.minute) != (2, 0)]
    assert [occurrence.isoformat() for occurrence in odd] == ["2026-03-29T03:00:00+02:00"]
    assert {occurrence.weekday() for occurrence in occurrences} == {6}
    assert {occurrence.utcoffset() for occurrence in occurrences} == {timedelta(hours=1), timedelta(hours=2)}
    assert {later.date() - earlier.date() for earlier, later in pairwise(occurrences)} == {timedelta(weeks=2)}


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    in_fold = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001
    assert recurrence.instant(in_fold, ZoneInfo("Europe/Berlin")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_until_counts_as_an_instant_a_wall_clock_time_or_a_whole_day() -> None:
    for until, expected in [
        ("20260315", 3),
        ("20260315T020000", 3),
        ("20260315T015959", 2),
        ("20260315T010000Z", 3),
        ("20260315T005959Z", 2),
    ]:
        assert len(starts(f"FREQ=WEEKLY;UNTIL={until}", "Europe/Berlin", count=9)) == expected


def test_a_rule_that_ends_has_fewer_occurrences() -> None:
    assert len(starts("FREQ=WEEKLY;COUNT=2", "Europe/Berlin", count=9)) == 2


def test_days_are_told_whether_the_rule_fires_on_them() -> None:
    def fires(day: date) -> bool:
        rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU"
        return recurrence.fires_on(rule, starts_at=START, zone=ZoneInfo("Etc/UTC"), day=day)

    assert [fires(date(2026, 3, day)) for day in (1, 8, 15)] == [True, False, True]
    assert not fires(date(2026, 2, 15))


def test_occurrences_longer_than_their_distance_overlap() -> None:
    slots = recurrence.upcoming("FREQ=DAILY", starts_at=START, zone=ZoneInfo("Etc/UTC"), after=BEFORE, count=3)
    assert not recurrence.overlaps_itself(slots, timedelta(hours=24))
    assert recurrence.overlaps_itself(slots, timedelta(hours=25))


@settings(deadline=None, max_examples=200)
@given(LOCAL_TIMES, ZONES)
def test_an_instant_shows_the_wall_clock_time_again_unless_it_lies_in_a_gap(local: datetime, zone: ZoneInfo) -> None:
    instant = recurrence.instant(local, zone)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    before, after = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert before is not None
    assert after is not None
    if shown == local:
        # The first of the two, if there are two.
        assert instant <= local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    else:
        assert before < after
        assert shown - local == after - before
        assert instant == (local - before).replace(tzinfo=UTC)


@settings(deadline=None, max_examples=150)
@given(RULES, LOCAL_TIMES, ZONES)
def test_occurrences_come_in_order_at_the_same_wall_clock_time_once_a_day(
    rule: str, start: datetime, zone: ZoneInfo
) -> None:
    start = start.replace(microsecond=0)
    first = recurrence.instant(start, zone) - timedelta(days=2)
    slots = recurrence.upcoming(rule, starts_at=start, zone=zone, after=first, count=12)
    assert len({slot.on for slot in slots}) == 12
    assert all(earlier.on < later.on for earlier, later in pairwise(slots))
    for slot in slots:
        expected = datetime.combine(slot.on, start.time())
        shown = slot.starts_at.astimezone(zone).replace(tzinfo=None)
        is_in_gap = expected.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != expected
        assert shown == expected or (is_in_gap and shown > expected)


@settings(deadline=None, max_examples=100)
@given(RULES, LOCAL_TIMES)
def test_days_are_those_that_the_library_finds(rule: str, start: datetime) -> None:
    """Moving the start by whole cycles of the calendar, which bounds the search, changes no day."""
    start = start.replace(microsecond=0)
    occurrences = rrulestr(rule, dtstart=start)
    expected = [local.date() for local, _ in zip(occurrences, range(20), strict=False)]
    after = start.replace(tzinfo=UTC) - timedelta(days=2)
    slots = recurrence.upcoming(rule, starts_at=start, zone=ZoneInfo("Etc/UTC"), after=after, count=20)
    assert [slot.on for slot in slots] == expected


@settings(deadline=None, max_examples=75)
@given(st.text(alphabet="FREQINTVALCOUNTBYDAYMOH=;,0123456789-+SUWKLRPDNEG \n", max_size=60))
def test_whatever_is_typed_is_understood_or_refused(text: str) -> None:
    try:
        normalized = recurrence.check(f"FREQ=YEARLY;{text}", starts_at=START, time_zone="Europe/Berlin")
    except RuleError:
        return
    assert recurrence.check(normalized, starts_at=START, time_zone="Europe/Berlin") == normalized
