"""A component's uptime, and the calendar by month."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.actions.incidents import incident_lifecycle
from incidents.models import Component, Incident
from tests.factories import ALICE, make_component, make_group, make_page
from tests.public.parsed_page import Element, get, read
from tests.public.uptime_story import NOW, a_page_with_a_past, moment, outage

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def code_of(name: str) -> str:
    return Component.objects.get(name=name).public_id


def own_page(name: str) -> Element:
    return read(f"/uptime/{code_of(name)}")


def calendar(name: str, page: int = 1) -> Element:
    return read(f"/uptime?component={code_of(name)}&page={page}")


def days_listed(document: Element) -> list[str]:
    return [day.text for day in document.all("article", class_="affected-day")]


def queries_of(path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert get(path).status_code == 200
    return len(queries)


def test_a_day_that_was_not_operational_is_listed_with_how_long_and_its_incidents() -> None:
    a_page_with_a_past()
    assert days_listed(own_page("REST API")) == [
        "Oct 27, 2024 Major Outage 3 hours 20 minutes In the night that had 25 hours",
        "Oct 11, 2024 Partial Outage 1 hour 35 minutes Half of it",
    ]
    (link,) = own_page("REST API").all("article", class_="affected-day")[0].all("a")
    assert link.attributes["href"] == f"/incidents/{Incident.objects.get(title__startswith='In the').public_id}"


def test_an_outage_over_midnight_stands_on_both_days() -> None:
    with moment(days=9):
        api = make_component(make_page())
    with time_machine.travel(NOW.replace(hour=23) - timedelta(days=3), tick=False):
        start = NOW.replace(hour=23) - timedelta(days=3)
    outage(api, "major_outage", days=(NOW - start) / timedelta(days=1), minutes=150, title="Late")
    assert days_listed(own_page("REST API")) == [
        "Nov 18, 2024 Major Outage 2 hours Late",
        "Nov 17, 2024 Major Outage 30 minutes Late",
    ]


def test_a_status_set_by_hand_is_listed_without_an_incident() -> None:
    a_page_with_a_past()
    listed = days_listed(own_page("Website"))
    assert listed[0].startswith("Nov 20, 2024 Major Outage 4 hours 48 minutes Degraded Performance")
    assert listed[0].endswith("The website is down")
    assert listed[1] == "Nov 19, 2024 Degraded Performance 1 day No incident was reported."


def test_a_hidden_incident_is_not_named() -> None:
    a_page_with_a_past()
    incident_lifecycle.hide(Incident.objects.get(title="Half of it"), actor=ALICE, reason="Names a customer")
    assert days_listed(own_page("REST API"))[1].endswith("No incident was reported.")


def test_a_component_that_was_always_well_says_so() -> None:
    a_page_with_a_past()
    assert "None in the last 90 days." in own_page("Young API").text
    assert "Recording started on Nov 05, 2024" in own_page("Young API").text
    assert "The history begins" not in own_page("REST API").text


def test_the_drawing_has_a_text_alternative_and_the_weights_stand_beside_it() -> None:
    a_page_with_a_past()
    drawing = own_page("REST API").one("div", role="img")
    assert drawing.attributes["aria-label"] == "90 days: 2 days with outages, 99.82 % uptime"
    assert "partial outages at 30 %" in own_page("REST API").text


def test_the_files_are_linked() -> None:
    a_page_with_a_past()
    links = {link.attributes["href"] for link in own_page("REST API").all("a")}
    for days in (30, 90, 365):
        assert f"/uptime/{code_of('REST API')}.json?days={days}" in links
        assert f"/uptime/{code_of('REST API')}.csv?days={days}" in links


def test_a_month_has_a_cell_for_each_day_under_its_weekday() -> None:
    a_page_with_a_past()
    november = calendar("REST API").all("table", class_="month-days")[0]
    assert november.one("caption").one("time").text == "November 2024"
    weeks = [[cell.text.split(":")[0] for cell in week.all("td")] for week in november.one("tbody").all("tr")]
    assert weeks[0] == ["", "", "", "", "1", "2", "3"]
    assert weeks[-1] == ["25", "26", "27", "28", "29", "30", ""]
    assert november.all("th")[0].attributes["abbr"] == "Monday"


def test_a_cell_says_its_status_in_words_and_a_bad_one_leads_to_its_incidents() -> None:
    a_page_with_a_past()
    document = calendar("REST API")
    october = document.all("table", class_="month-days")[1]
    (bad,) = october.all("td", data_status="major_outage")
    assert bad.text == "27: Major Outage"
    assert bad.one("a").attributes["href"] == "#day-2024-10-27"
    assert document.one("article", id="day-2024-10-27").one("p", class_="incident-title").text.startswith("In the")


@pytest.mark.parametrize("address", ["/uptime?component={}", "/uptime?component={}&page=4", "/uptime/{}"])
def test_each_link_of_a_calendar_leads_to_a_day_on_the_same_page(address: str) -> None:
    a_page_with_a_past()
    for listed_component in Component.objects.all():
        if get(address.format(listed_component.public_id)).status_code == 404:
            continue
        document = read(address.format(listed_component.public_id))
        cells = [link for month in document.all("table", class_="month-days") for link in month.all("a")]
        assert {link.attributes["href"] for link in cells} <= {
            f"#{day.attributes['id']}" for day in document.all("article", class_="affected-day")
        }


def test_days_to_come_and_before_the_beginning_say_that_there_is_no_data() -> None:
    a_page_with_a_past()
    november, october, _ = calendar("Young API").all("table", class_="month-days")
    assert november.one("tbody").all("td", data_status="")[-1].text == "30: No data"
    assert len(october.all("td", data_status="")) == 31
    assert october.one("caption").one("span").text == "no data"


def test_the_first_component_is_shown_until_one_is_chosen() -> None:
    a_page_with_a_past()
    document = read("/uptime")
    assert document.one("h2", id="chosen").text == "Public APIs - REST API"
    (chosen,) = [option for option in document.all("option") if "selected" in option.attributes]
    assert chosen.text == "Public APIs - REST API"
    assert calendar("Website").one("h2", id="chosen").text == "Website"


def test_the_pager_goes_back_to_the_first_month_of_the_history_and_keeps_the_component() -> None:
    a_page_with_a_past()  # began in July 2023: 17 months
    code = code_of("Website")
    first = calendar("Website").one("nav", aria_label="Months").all("a")
    assert [link.attributes["href"] for link in first] == [f"/uptime?component={code}&page=2"]
    last = calendar("Website", 6)
    assert [link.attributes["href"] for link in last.one("nav", aria_label="Months").all("a")] == [
        f"/uptime?component={code}&page=5"
    ]
    assert get(f"/uptime?component={code}&page=7").status_code == 404


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=-1", "page=999999", "component=nosuchcode12", "page=%00"])
def test_a_page_that_does_not_exist_is_not_found(query: str) -> None:
    a_page_with_a_past()
    assert get(f"/uptime?{query}").status_code == 404


def test_a_group_is_named_above_its_members_with_their_mean() -> None:
    a_page_with_a_past()
    table = read("/uptime").one("table", class_="by-month")
    assert [row.one("th").text for row in table.one("tbody").all("tr")] == [
        "Public APIs", "REST API", "Labels API", "Young API", "Website",
    ]  # fmt: skip
    assert "The uptime of a group is the mean of its components." in read("/uptime").text


def test_a_page_without_components_says_so() -> None:
    make_page()
    assert "No components are listed yet." in read("/uptime").text


def test_queries_do_not_grow_with_components_incidents_or_history() -> None:
    page = a_page_with_a_past()
    code = code_of("REST API")
    addresses = ["/uptime", f"/uptime?component={code}&page=3", f"/uptime/{code}", f"/uptime/{code}.json?days=365"]
    before = [queries_of(address) for address in addresses]
    assert before == [5, 5, 5, 3]
    group = make_group(page, "Many")
    for number in range(60):
        make_component(page, f"Part {number}", group=group)
    rest = Component.objects.get(name="REST API")
    for number in range(10):
        outage(rest, "partial_outage", days=9 - number / 2, minutes=30)
    assert [queries_of(address) for address in addresses] == before


def test_the_pages_link_to_each_other() -> None:
    a_page_with_a_past()
    assert "/uptime" in [link.attributes["href"] for link in read("/").one("footer").all("a")]
    assert f"/uptime/{code_of('REST API')}" in [link.attributes["href"] for link in read("/uptime").all("a")]


@pytest.mark.parametrize("ending", ["", ".json", ".csv"])
def test_uptime_is_published_without_cookies_and_may_be_kept_by_anybody(ending: str) -> None:
    a_page_with_a_past()
    answer = get(f"/uptime/{code_of('REST API')}{ending}")
    assert not answer.cookies
    assert answer["Cache-Control"] == "public, max-age=0, s-maxage=5, stale-if-error=86400"
    assert answer["ETag"]


def test_earlier_months_are_offered_only_where_there_are_some() -> None:
    a_page_with_a_past()
    earlier = [link.attributes["href"] for link in own_page("REST API").all("a") if link.text == "Earlier months"]
    assert earlier == [f"/uptime?component={code_of('REST API')}&page=2"]
    assert get(earlier[0]).status_code == 200
    assert "Earlier months" not in own_page("Young API").text
