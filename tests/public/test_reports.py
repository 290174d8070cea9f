"""Service level reports: the same numbers as page, chart and CSV, for whom they are meant."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import corrections, incident_lifecycle
from incidents.actions.pages.service_level_targets import set_target
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Incident, Page
from incidents.reporting.periods import Period
from tests.common.test_charts import value_at
from tests.factories import ALICE, make_component, make_group, make_incident, make_page, make_resolved
from tests.public.parsed_page import Element, get, read

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _in_november() -> Iterator[None]:
    with travel(NOW, tick=False):
        yield


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin", reports_public=True)


@pytest.fixture
def api(page: Page) -> Component:
    """Three nines since January. In October down for 30 minutes, and partly for an hour: 48 of 44.70 minutes."""
    made = make_component(page, start_date=date(2026, 1, 1))
    set_target(made, Decimal("99.9"), valid_from=date(2026, 1, 1), actor=ALICE)
    outage(made, "major_outage", datetime(2026, 10, 5, 10, tzinfo=UTC), 30)
    outage(made, "partial_outage", datetime(2026, 10, 9, 22, tzinfo=UTC), 60)
    return made


def outage(component: Component, status: str, start: datetime, minutes: int) -> Incident:
    incident = make_incident(component.page, components={component: status}, at=start)
    incident_lifecycle.resolve(
        incident,
        UpdateInput(body="Over.", at=start + minutes * MINUTE),
        restore={component: "operational"},
        actor=ALICE,
    )
    return incident


def path_of(component: Component, period: str = "2026-10") -> str:
    return f"/reports/{component.public_id}/{period}"


def facts(document: Element) -> dict[str, str]:
    """The figures of a report, with their units."""
    (shown,) = document.one("main").all("dl", class_="facts")
    return {entry.one("dt").text: entry.one("dd").text for entry in shown.all("div")}


def texts(row: Element) -> list[str]:
    return [cell.text for cell in row.walk() if cell.tag in ("th", "td")]


def table(path: str) -> list[dict[str, str]]:
    answer = get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_a_report_says_what_was_promised_and_kept(api: Component) -> None:
    document = read(path_of(api))
    assert document.one("p", class_="verdict").text == "Target missed"
    assert facts(document) == {
        "Target": "99.9 %",
        "Uptime": "99.8926 %",
        "Downtime": "48.00 min",
        "Error budget": "44.70 min",
        "Used": "48.00 min",
        "Overspent by": "3.30 min",
        "Incidents": "2",
    }
    assert "major outages in full, partial outages at 30 %" in document.one("main").text


def test_page_table_chart_and_csv_agree(api: Component) -> None:
    document = read(path_of(api))
    (row,) = table(f"{path_of(api)}.csv")
    shown = facts(document)
    assert f"{row['target_percent']} %" == shown["Target"]
    assert f"{row['achieved_percent']} %" == shown["Uptime"]
    assert f"{row['budget_minutes']} min" == shown["Error budget"]
    assert f"{row['used_minutes']} min" == shown["Used"]
    assert row["left_minutes"] == f"-{shown['Overspent by'].removesuffix(' min')}"
    assert (row["incidents"], row["result"]) == (shown["Incidents"], "missed")
    chart = document.one("svg", class_="chart")
    end = float(chart.one("circle", class_="chart-dot").attributes["cy"])
    assert value_at(chart, end) == pytest.approx(float(row["left_minutes"]), abs=0.3)
    assert f"Of {row['budget_minutes']} minutes, {row['used_minutes']} are used and {row['left_minutes']} left." in (
        chart.one("desc").text
    )
    days = [texts(line) for line in document.all("tbody")[0].all("tr")]
    assert days == [["Oct 05", "30.00", "14.70"], ["Oct 10", "18.00", "-3.30"]]


def test_the_csv_can_be_recomputed_from_itself(api: Component) -> None:
    (row,) = table(f"{path_of(api)}.csv")
    start, end = (datetime.fromisoformat(row[name]) for name in ("from", "until"))
    length = Decimal((end - start).total_seconds()) / 60
    assert length == Decimal(row["known_minutes"]) == 745 * 60
    assert length * (100 - Decimal(row["target_percent"])) / 100 == Decimal(row["budget_minutes"])
    achieved = 100 * (length - Decimal(row["down_minutes"])) / length
    assert 0 <= achieved - Decimal(row["achieved_percent"]) < Decimal("0.0001")
    weights = [Decimal(row[f"weight_{name}"]) for name in ("major_outage", "partial_outage")]
    assert 30 * weights[0] + 60 * weights[1] == Decimal(row["used_minutes"])
    assert Decimal(row["budget_minutes"]) - Decimal(row["used_minutes"]) == Decimal(row["left_minutes"])


def test_a_quarter_adds_its_months_up(api: Component) -> None:
    outage(api, "major_outage", datetime(2026, 8, 5, 10, tzinfo=UTC), 90)
    (row,) = table(f"{path_of(api, '2026-Q3')}.csv")
    assert (row["budget_minutes"], row["used_minutes"], row["left_minutes"]) == ("132.48", "90.00", "42.48")
    assert row["result"] == "met"


def test_a_corrected_history_corrects_the_report(api: Component) -> None:
    start = datetime(2026, 10, 5, 10, tzinfo=UTC)
    corrections.correct_history(
        api, "operational", start=start, end=start + 20 * MINUTE, actor=ALICE, reason="It was up."
    )
    assert facts(read(path_of(api)))["Used"] == "28.00 min"


def test_the_running_month_says_so_far(api: Component) -> None:
    document = read(path_of(api, "2026-11"))
    text = document.one("main").text
    assert "November 2026 so far, counted until Nov 25, 2026 - 13:00 CET" in text
    assert document.one("p", class_="verdict").text == "Within budget so far"
    assert facts(document)["Uptime so far"] == "100 %"
    assert facts(document)["Error budget"] == "43.20 min"
    links = document.one("nav", aria_label="Periods").all("a")
    assert [link.text for link in links] == ["← October 2026", "Q4 2026", "CSV"]


def test_a_running_quarter_leads_to_no_month_that_has_not_begun(api: Component) -> None:
    links = read(path_of(api, "2026-Q4")).one("nav", aria_label="Periods").all("a")
    assert [link.text for link in links] == ["← Q3 2026", "October 2026", "November 2026", "CSV"]


def test_reports_lead_back_no_further_than_the_history(api: Component) -> None:
    known = api.intervals.earliest("started_at").started_at
    first = f"{known.astimezone(api.page.zone):%Y-%m}"
    assert not [
        link for link in read(path_of(api, first)).one("nav", aria_label="Periods").all("a") if "←" in link.text
    ]


@pytest.mark.parametrize("period", ["2026-12", "2027-Q1", "2026-13", "october", "2026-Q9"])
def test_what_has_not_begun_or_is_no_period_is_not_found(api: Component, period: str) -> None:
    for path in (path_of(api, period), f"{path_of(api, period)}.csv", f"/reports?period={period}"):
        assert get(path).status_code == 404


def test_before_its_start_a_component_has_no_data_and_never_a_hundred_percent(api: Component) -> None:
    document = read(path_of(api, "2025-12"))
    assert document.one("p", class_="verdict").text == "No data"
    assert facts(document)["Uptime"] == "no data"
    assert not document.all("svg")
    (row,) = table(f"{path_of(api, '2025-12')}.csv")
    assert (row["achieved_percent"], row["down_minutes"], row["result"]) == ("", "", "no data")


def test_a_component_that_is_new_this_month_has_no_more_budget_than_time(page: Page) -> None:
    new = make_component(page, "New", start_date=date(2026, 11, 16))
    set_target(new, Decimal(99), valid_from=date(2026, 1, 1), actor=ALICE)
    (row,) = table(f"{path_of(new, '2026-11')}.csv")
    assert (row["budget_minutes"], row["achieved_percent"]) == ("216.00", "100")


def test_without_a_target_there_is_no_budget_to_draw(page: Page) -> None:
    document = read(path_of(make_component(page, start_date=date(2026, 1, 1)), "2026-11"))
    assert document.one("p", class_="verdict").text == "No target was set"
    assert not document.all("svg")


def test_a_target_of_a_hundred_percent_has_no_budget_to_use(page: Page) -> None:
    strict = make_component(page, "Strict", start_date=date(2026, 1, 1))
    set_target(strict, Decimal(100), valid_from=date(2026, 1, 1), actor=ALICE)
    outage(strict, "major_outage", datetime(2026, 10, 5, 10, tzinfo=UTC), 1)
    document = read(path_of(strict))
    assert facts(document)["Error budget"] == "0.00 min"
    assert facts(document)["Overspent by"] == "1.00 min"
    assert document.all("svg")


def test_a_target_that_was_set_after_it_began_to_hold_says_so(api: Component) -> None:
    assert "99.9 % from Jan 01, 2026; set afterwards, on Nov 25, 2026." in read(path_of(api)).one("main").text


def test_a_target_that_ended_with_the_month_before_is_not_named(api: Component) -> None:
    set_target(api, Decimal("99.5"), valid_from=date(2026, 10, 1), actor=ALICE)
    assert facts(read(path_of(api)))["Target"] == "99.5 %"
    assert facts(read(path_of(api, "2026-09")))["Target"] == "99.9 %"
    assert facts(read(path_of(api, "2026-Q3")))["Target"] == "99.9 %"


def test_two_targets_in_one_period_are_both_named(api: Component) -> None:
    set_target(api, Decimal("99.5"), valid_from=date(2026, 10, 17), actor=ALICE)
    document = read(path_of(api))
    assert facts(document)["Target"] == "99.9, then 99.5 %"
    # 16 days at 0.1 % and 361 hours at 0.5 %.
    assert facts(document)["Error budget"] == "131.34 min"
    assert "99.9 % from Jan 01, 2026, up to Oct 17, 2026; set afterwards" in document.one("main").text


def test_incidents_are_those_that_named_the_component_in_that_time(api: Component) -> None:
    other = make_component(api.page, "Website")
    outage(other, "major_outage", datetime(2026, 10, 6, 10, tzinfo=UTC), 5)
    across = outage(api, "degraded_performance", datetime(2026, 9, 30, 21, tzinfo=UTC), 120)
    document = read(path_of(api))
    titles = [link.text for link in document.all("tbody")[-1].all("a")]
    assert titles[0] == across.title
    assert len(titles) == 3
    assert facts(document)["Incidents"] == "3"


def test_hidden_incidents_are_not_listed(api: Component) -> None:
    hidden = Incident.objects.earliest("started_at")
    incident_lifecycle.hide(hidden, actor=ALICE, reason="A test.")
    document = read(path_of(api))
    assert hidden.title not in document.text
    assert facts(document)["Incidents"] == "1"


def test_the_overview_lists_components_in_page_order_with_their_own_numbers(api: Component) -> None:
    group = make_group(api.page, "Web")
    grouped = make_component(api.page, "Sign-in", group=group)
    document = read("/reports?period=2026-10")
    rows = [texts(row) for row in document.one("tbody").all("tr")]
    assert rows[0] == [api.name, "missed", "99.9 %", "99.8926 %", "48.00", "44.70", "48.00", "-3.30", "2"]
    assert rows[1][:4] == ["Web - Sign-in", "no data", "–", "no data"]
    listed = table("/reports.csv?period=2026-10")
    assert [row["component_id"] for row in listed] == [api.public_id, grouped.public_id]
    assert listed[0] == table(f"{path_of(api)}.csv")[0]
    assert [row.all("a")[0].attributes["href"] for row in document.one("tbody").all("tr")] == [
        path_of(api),
        path_of(grouped),
    ]


def test_without_components_the_overview_says_so(page: Page) -> None:
    assert "There are no components yet." in read("/reports").one("main").text
    assert table("/reports.csv") == []


def test_without_the_switch_nothing_is_found_and_nothing_linked(page: Page, api: Component) -> None:
    assert "Service level reports" in read("/").one("footer").text
    Page.objects.update(reports_public=False)
    for path in ("/reports", "/reports.csv", path_of(api), f"{path_of(api)}.csv"):
        assert get(path).status_code == 404
    assert "Service level reports" not in read("/").one("footer").text


def test_components_that_visitors_do_not_see_have_no_report(api: Component) -> None:
    elsewhere = make_component(make_page(name="Other", reports_public=True))
    assert get(path_of(elsewhere)).status_code == 404
    component_lifecycle.set_archived(api, archived=True, actor=ALICE)
    assert get(path_of(api)).status_code == 404


def test_components_without_published_uptime_have_no_report_for_visitors(page: Page, api: Component) -> None:
    website = make_component(page, "Website")
    component_lifecycle.edit_component(api, name="Inner API", showcase=False, actor=ALICE)
    for path in (path_of(api), f"{path_of(api)}.csv"):
        assert get(path).status_code == 404
    assert [row["component_id"] for row in table("/reports.csv")] == [website.public_id]
    assert "Inner API" not in read("/reports").one("main").text


def test_a_name_that_a_spreadsheet_would_run_stays_text(page: Page) -> None:
    make_component(page, "=HYPERLINK(1)")
    make_component(page, 'Quotes ", and commas')
    names = [row["component"] for row in table("/reports.csv")]
    assert names == ["'=HYPERLINK(1)", 'Quotes ", and commas']


def queries_of(path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert get(path).status_code == 200
    return len(queries)


def test_reports_need_few_queries_however_much_the_page_has_lived_through(page: Page, api: Component) -> None:
    paths = ("/reports?period=2026-10", "/reports.csv?period=2026-10", path_of(api), f"{path_of(api)}.csv")
    before = [queries_of(path) for path in paths]
    assert max(before) <= 7
    for number in range(40):
        then = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=8 * number)
        part = make_component(page, f"Part {number}")
        make_resolved(page, at=then, until=then + MINUTE, components={part: "operational"})
    for number in range(8):
        outage(api, "major_outage", datetime(2026, 10, 11 + number, tzinfo=UTC), 5)
    assert [queries_of(path) for path in paths] == before


def test_two_hundred_components_are_one_table(page: Page) -> None:
    for number in range(200):
        make_component(page, f"{'A component with a long name ' * 8}{number}")
    assert len(read("/reports").one("tbody").all("tr")) == 200


@pytest.mark.parametrize("code", ["2026-10", "2026-11", "2025-12", "2026-Q3"])
def test_a_report_is_a_page_like_the_others(api: Component, code: str) -> None:
    answer = get(path_of(api, code))
    assert "Set-Cookie" not in answer.headers
    assert "style=" not in answer.content.decode()
    assert "<script" not in answer.content.decode()
    document = read(path_of(api, code))
    assert document.one("h1").text == api.name
    headings = [element.tag for element in document.one("main").walk() if element.tag in ("h1", "h2", "h3")]
    assert headings[0] == "h1"
    assert set(headings[1:]) == {"h2"}
    ids = [element.attributes["id"] for element in document.walk() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    assert Period.parse(code) is not None
