"""Every published percentage, recomputed from the published files alone by code that shares nothing with ours."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from incidents.actions.incidents import corrections
from incidents.actions.pages.page_settings import set_uptime_weights
from incidents.models import Component, Page
from incidents.reporting.uptime import Weights
from tests.factories import ALICE, make_component, make_page
from tests.public.parsed_page import get, read
from tests.public.uptime_story import NOW, a_page_with_a_past, moment

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def page() -> Page:
    return a_page_with_a_past()


def component_named(name: str) -> Component:
    return Component.objects.get(name=name)


def file_of(component: Component, query: str = "", *, status: int = 200) -> dict[str, Any]:
    answer = get(f"/uptime/{component.public_id}.json{query}")
    assert answer.status_code == status, answer.content
    payload: dict[str, Any] = json.loads(answer.content)
    return payload


def rows_of(component: Component, query: str = "") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(get(f"/uptime/{component.public_id}.csv{query}").content.decode())))


def recomputed(intervals: list[tuple[str, str, str]], weights: dict[str, Any]) -> Fraction | None:
    """From statuses and their times alone; exact."""
    known = down = Fraction(0)
    for status, begins, ends in intervals:
        length = datetime.fromisoformat(ends) - datetime.fromisoformat(begins)
        seconds = Fraction(length.days * 86400 + length.seconds) + Fraction(length.microseconds, 1_000_000)
        known += seconds
        down += seconds * Fraction(str(weights[status]))
    return 100 * (known - down) / known if known else None


def floor(value: Fraction, digits: int) -> Fraction:
    return Fraction(value.numerator * 10**digits // value.denominator, 10**digits)


def shown(value: Fraction | None) -> str:
    if value is None:
        return "no data"
    return "100 %" if value == 100 else f"{float(floor(value, 2)):.2f} %"


def from_json(component: Component, query: str = "") -> Fraction | None:
    """Recomputed from the file, whose own result must agree."""
    payload = file_of(component, query)
    rows = [(row["status"], row["from"], row["to"]) for row in payload["intervals"]]
    percentage = recomputed(rows, payload["weights"])
    assert payload["uptime_percentage"] == (None if percentage is None else float(floor(percentage, 4)))
    return percentage


def from_csv(component: Component, query: str = "") -> Fraction | None:
    rows = rows_of(component, query)
    weights = {row["name"]: row["weight"] for row in rows if row["record"] == "status"}
    percentage = recomputed(
        [(row["name"], row["from"], row["to"]) for row in rows if row["record"] == "interval"], weights
    )
    (result,) = [row["uptime_percentage"] for row in rows if row["record"] == "result"]
    assert (float(result) if result else None) == (None if percentage is None else float(floor(percentage, 4)))
    return percentage


def month_query(first: str, last: str) -> str:
    return f"?from={first}&to={last}"


MONTHS = [month_query("2024-11-01", "2024-11-30"), month_query("2024-10-01", "2024-10-31"),
          month_query("2024-09-01", "2024-09-30")]  # fmt: skip


def test_each_percentage_of_the_home_page_follows_from_its_file(page: Page) -> None:
    links = {link.attributes["href"]: link.text for link in read("/").all("a", class_="bars")}
    assert len(links) == 4
    for component in Component.objects.all():
        assert links[f"/uptime/{component.public_id}"] == shown(from_json(component)) == shown(from_csv(component))
    assert sorted(links.values()) == ["100 %", "99.77 %", "99.82 %", "99.99 %"]


def test_each_percentage_of_a_components_page_follows_from_its_files(page: Page) -> None:
    for component in Component.objects.all():
        percentages = [fact.text for fact in read(f"/uptime/{component.public_id}").all("dd", class_="nums")]
        queries = [f"?days={days}" for days in (30, 90, 365)]
        assert percentages == [shown(from_json(component, query)) for query in queries]
        assert percentages == [shown(from_csv(component, query)) for query in queries]


@pytest.mark.parametrize("address", ["/uptime?component={}", "/uptime/{}"])
def test_each_month_of_the_calendar_follows_from_a_file(page: Page, address: str) -> None:
    for component in Component.objects.all():
        months = read(address.format(component.public_id)).all("table", class_="month-days")
        percentages = [month.one("caption").one("span").text for month in months]
        assert percentages == [shown(from_json(component, query)) for query in MONTHS]


def test_each_number_of_the_table_follows_from_files_and_a_group_is_the_mean_of_its_members(page: Page) -> None:
    table = {}
    for row in read("/uptime").one("table", class_="by-month").one("tbody").all("tr"):
        table[row.one("th").text] = [cell.text for cell in row.all("td")]
    for component in Component.objects.all():
        assert table[component.name] == [shown(from_json(component, query)) for query in MONTHS]
    members = Component.objects.filter(group__isnull=False)
    for column, query in enumerate(MONTHS):
        values = [floor(value, 4) for component in members if (value := from_json(component, query)) is not None]
        assert table["Public APIs"][column] == shown(sum(values, Fraction(0)) / len(values))
    assert table["Young API"] == ["100 %", "no data", "no data"]


def test_per_status_seconds_and_no_data_fill_the_window(page: Page) -> None:
    for component in Component.objects.all():
        for query in ("", "?days=30", "?days=365", *MONTHS):
            payload = file_of(component, query)
            assert sum(payload["seconds"].values()) == payload["window"]["seconds"]
            for status in payload["weights"]:
                rows = [row["seconds"] for row in payload["intervals"] if row["status"] == status]
                assert payload["seconds"][status] == sum(rows)


def test_a_window_of_days_is_one_of_the_pages_zone(page: Page) -> None:
    window = file_of(component_named("REST API"))["window"]
    assert window == {
        "from": "2024-08-22T22:00:00Z", "to": "2024-11-20T23:00:00Z", "time_zone": "Europe/Berlin",
        "seconds": 90 * 86400 + 3600,
    }  # fmt: skip
    month = file_of(component_named("REST API"), MONTHS[1])["window"]
    assert (month["from"], month["to"]) == ("2024-09-30T22:00:00Z", "2024-10-31T23:00:00Z")


def test_times_with_an_offset_bound_a_window_to_the_second(page: Page) -> None:
    payload = file_of(component_named("Website"), "?from=2024-11-20T12:00:00%2B01:00&to=2024-11-20T11:00:10Z")
    assert payload["window"]["seconds"] == payload["seconds"]["major_outage"] == 10


def test_what_was_reported_then_is_told_until_then_and_with_the_weights_of_then(page: Page) -> None:
    labels = component_named("Labels API")
    before = f"{NOW - timedelta(days=6):%Y-%m-%dT%H:%M:%SZ}"
    payload = file_of(labels, f"?as_of={before}")
    assert (payload["reading"], payload["at"]) == ("as reported", before)
    assert payload["window"]["to"] == "2024-11-14T23:00:00Z"
    assert payload["intervals"][-1]["to"] == before
    assert payload["seconds"]["partial_outage"] == 0
    assert from_json(labels, f"?as_of={before}") == 100
    set_uptime_weights(page, Weights(degraded_performance=Weights().partial_outage), actor=ALICE)
    assert from_json(labels, f"?as_of={before}") == 100
    corrected = file_of(labels)
    assert (corrected["reading"], corrected["weights"]["degraded_performance"]) == ("as corrected", 0.3)
    assert corrected["seconds"]["partial_outage"] == 864


def test_a_published_number_can_still_be_recomputed_after_its_history_was_corrected(page: Page) -> None:
    rest = component_named("REST API")
    published = read("/").one("a", href=f"/uptime/{rest.public_id}").text
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        corrections.correct_history(
            rest, "operational", start=NOW - timedelta(days=30), end=NOW - timedelta(days=20), actor=ALICE, reason="x"
        )
        assert read("/").one("a", href=f"/uptime/{rest.public_id}").text != published
        assert shown(from_json(rest, f"?as_of={NOW:%Y-%m-%dT%H:%M:%SZ}")) == published


def test_a_date_as_of_which_means_the_end_of_that_day_and_today_means_now(page: Page) -> None:
    rest = component_named("REST API")
    payload = file_of(rest, "?as_of=2024-11-10")
    assert payload["at"] == payload["window"]["to"] == "2024-11-10T23:00:00Z"
    assert file_of(rest, "?as_of=2024-11-20")["at"] == "2024-11-20T15:30:00Z"


def test_before_a_component_was_on_record_there_is_no_data(page: Page) -> None:
    payload = file_of(component_named("Young API"), "?as_of=2024-01-01")
    assert (payload["uptime_percentage"], payload["intervals"], payload["known_seconds"]) == (None, [], 0)
    assert payload["seconds"]["no_data"] == payload["window"]["seconds"]
    (result,) = [row for row in rows_of(component_named("Young API"), "?as_of=2024-01-01") if row["record"] == "result"]
    assert result["uptime_percentage"] == ""


def test_the_two_files_hold_the_same_facts(page: Page) -> None:
    rest = component_named("REST API")
    payload, rows = file_of(rest, "?days=365"), rows_of(rest, "?days=365")
    intervals = [
        [row["name"], row["from"], row["to"], float(row["seconds"])] for row in rows if row["record"] == "interval"
    ]
    assert intervals == [
        [interval["status"], interval["from"], interval["to"], interval["seconds"]] for interval in payload["intervals"]
    ]
    seconds = {row["name"]: float(row["seconds"]) for row in rows if row["record"] == "status"}
    assert seconds == payload["seconds"]
    (zone,) = [row["name"] for row in rows if row["record"] == "time zone"]
    assert zone == "Europe/Berlin"


def test_files_say_what_they_are() -> None:
    component = make_component(make_page())
    answer = get(f"/uptime/{component.public_id}.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="uptime-{component.public_id}.csv"'
    assert get(f"/uptime/{component.public_id}.json")["Content-Type"] == "application/json; charset=utf-8"


def test_a_name_that_looks_like_a_formula_is_none_in_a_spreadsheet() -> None:
    component = make_component(make_page(), "=HYPERLINK(1)")
    assert rows_of(component)[0]["name"] == "'=HYPERLINK(1)"
    assert file_of(component)["component"]["name"] == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?days=31", "days must be one of 30, 90, 365"),
        ("?days=-1", "days must be one of"),
        ("?days=30&from=2024-01-01&to=2024-02-01", "either days, or from and to"),
        ("?from=2024-01-01", "Use from and to together"),
        ("?from=2024-02-01&to=2024-01-01", "to must be later than from"),
        ("?from=2024-02-01T00:00:00Z&to=2024-02-01T00:00:00Z", "to must be later than from"),
        ("?from=yesterday&to=2024-01-01", "from must be a date like"),
        ("?from=2024-02-30&to=2024-03-01", "from must be a date like"),
        ("?from=2024-01-01&to=2024-01-02T10:00", "to must be a date like"),
        ("?from=0001-01-01&to=2024-01-01", "from must be between 1990 and 9000"),
        ("?from=2024-01-01&to=9999-12-31", "to must be between"),
        ("?as_of=2024-11-21", "as_of must not be in the future"),
        ("?as_of=2024-11-20T15:30:01Z", "as_of must not be in the future"),
        ("?as_of=", "as_of must be a date like"),
        ("?as_off=2024-01-01", "“as_off” is not a known parameter"),
        ("?from=%00&to=%F0%9F%92%A5", "from must be a date like"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_plain_words(query: str, message: str) -> None:
    component = make_component(make_page(time_zone="Europe/Berlin"))
    assert message in file_of(component, query, status=400)["error"]
    answer = get(f"/uptime/{component.public_id}.csv{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "text/plain; charset=utf-8")
    assert message in answer.content.decode()


@pytest.mark.parametrize("ending", ["", ".json", ".csv"])
def test_a_component_that_does_not_show_its_uptime_has_no_such_pages(ending: str) -> None:
    page = make_page()
    hidden = make_component(page, "Hidden", only_show_if_degraded=True)
    private = make_component(page, "Private", showcase=False)
    with moment(days=0):
        archived = make_component(page, "Archived")
    Component.objects.filter(pk=archived.pk).update(archived_at=NOW)
    for code in (hidden.public_id, private.public_id, archived.public_id, "nosuchcode12"):
        assert get(f"/uptime/{code}{ending}").status_code == 404


def test_a_component_that_hides_while_it_is_well_is_told_of_while_it_is_not() -> None:
    page = make_page()
    hidden = make_component(page, "Hidden", only_show_if_degraded=True, status="major_outage")
    assert get(f"/uptime/{hidden.public_id}.json").status_code == 200


def test_another_pages_component_is_not_found() -> None:
    make_page()
    other = make_component(make_page(domain="other.example"))
    assert get(f"/uptime/{other.public_id}.json").status_code == 404


def test_the_story_has_the_outage_in_the_night_of_25_hours(page: Page) -> None:
    rest = file_of(component_named("REST API"), "?from=2024-10-27&to=2024-10-27")
    assert rest["window"]["seconds"] == 25 * 3600
    assert rest["seconds"]["major_outage"] == 200 * 60
