"""Service levels, targets, analytics and the start of an impact, as staff use them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from incidents.actions.incidents import incident_lifecycle
from incidents.actions.pages.service_level_targets import set_target
from incidents.models import AuditEntry, Component, Incident, Page, ServiceTarget
from tests.console.staff import fill_in, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import ALICE, make_component, make_incident, make_page, make_resolved

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TARGETS = "/console/p/acme/reports/targets"
SWITCHES = "/console/p/acme/reports/public"


@pytest.fixture(autouse=True)
def _in_november() -> Iterator[None]:
    with travel(NOW, tick=False):
        yield


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def api(page: Page) -> Component:
    return make_component(page, start_date=date(2026, 1, 1))


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor", name="Erin")


def name_of(component: Component) -> str:
    return f"target_{component.public_id}"


def set_by_form(client: Client, typed: dict[str, Any]) -> Any:
    return client.post(TARGETS, fill_in(client, TARGETS, **typed))


def targets() -> list[tuple[str, str, date]]:
    return [(t.component.name, f"{t.percent.normalize():f}", t.valid_from) for t in ServiceTarget.objects.all()]


def test_viewers_read_reports_and_analytics_and_are_offered_no_changes(page: Page, api: Component) -> None:
    viewer = signed_in("viewer")
    report = f"/console/p/acme/reports/{api.public_id}/2026-10"
    for path in (
        "/console/p/acme/reports",
        "/console/p/acme/reports?period=2026-Q3",
        report,
        "/console/p/acme/analytics",
    ):
        answer = viewer.get(path)
        assert answer.status_code == 200
        assert {form.attributes["action"] for form in parsed_page(answer).all("form")} == {"/accounts/logout/"}
        hrefs = {link.attributes.get("href", "") for link in parsed_page(answer).one("main").all("a")}
        assert not hrefs & {TARGETS, SWITCHES}
    for path in (f"{report}.csv", "/console/p/acme/reports.csv"):
        assert viewer.get(path)["Content-Disposition"].startswith('attachment; filename="service-levels-')


def test_staff_reads_reports_whether_visitors_may_or_not(editor: Client, api: Component) -> None:
    text = parsed_page(editor.get(f"/console/p/acme/reports/{api.public_id}/2026-10")).text
    assert "No target was set" in text
    assert "Visitors do not see these reports." in parsed_page(editor.get("/console/p/acme/reports")).text


@pytest.mark.parametrize("path", ["reports?period=2026-12", "analytics?page=2", "reports.csv?period=x"])
def test_what_is_not_there_is_not_found(editor: Client, path: str) -> None:
    assert editor.get(f"/console/p/acme/{path}").status_code == 404


def test_another_pages_component_is_out_of_reach(editor: Client) -> None:
    elsewhere = make_component(make_page(name="Other"))
    for tail in ("", ".csv"):
        assert editor.get(f"/console/p/acme/reports/{elsewhere.public_id}/2026-11{tail}").status_code == 404


def test_targets_are_set_for_many_components_in_one_form(editor: Client, page: Page, api: Component) -> None:
    website = make_component(page, "Website")
    make_component(page, "Search")
    answer = set_by_form(editor, {name_of(api): "99.9", name_of(website): "99,95 %", "valid_from": "2026-10-01"})
    assert answer["Location"] == TARGETS
    assert targets() == [("REST API", "99.9", date(2026, 10, 1)), ("Website", "99.95", date(2026, 10, 1))]
    text = parsed_page(editor.get(TARGETS)).text
    assert "Targets set for 2 components from Oct 01, 2026." in text
    assert "now 99.95 %, from Oct 01, 2026" in text
    assert {entry.actor_label for entry in AuditEntry.objects.filter(verb="target.set")} == {"Erin"}


def test_a_target_begins_with_the_month_unless_another_day_is_chosen(editor: Client, api: Component) -> None:
    set_by_form(editor, {name_of(api): "99.9"})
    assert targets() == [("REST API", "99.9", date(2026, 11, 1))]


def test_what_was_left_as_it_was_is_not_set_again(editor: Client, page: Page, api: Component) -> None:
    website = make_component(page, "Website")
    set_target(website, Decimal(99), valid_from=date(2026, 11, 20), actor=ALICE)
    set_by_form(editor, {name_of(api): "99.9", "valid_from": "2026-01-01"})
    assert sorted(targets()) == [("REST API", "99.9", date(2026, 1, 1)), ("Website", "99", date(2026, 11, 20))]


def test_every_target_can_be_made_to_hold_earlier(editor: Client, api: Component) -> None:
    set_target(api, Decimal(99), valid_from=date(2026, 11, 20), actor=ALICE)
    set_by_form(editor, {"valid_from": "2026-01-01", "every": "on"})
    assert targets() == [("REST API", "99", date(2026, 1, 1))]


def test_an_emptied_target_ends(editor: Client, api: Component) -> None:
    set_target(api, Decimal(99), valid_from=date(2026, 1, 1), actor=ALICE)
    set_by_form(editor, {name_of(api): "", "valid_from": "2026-11-01"})
    assert ServiceTarget.objects.get().valid_until == date(2026, 11, 1)


def test_who_saves_later_does_not_undo_what_somebody_else_set(editor: Client, page: Page, api: Component) -> None:
    website = make_component(page, "Website")
    fields = fill_in(editor, TARGETS, **{name_of(website): "99"})
    set_target(api, Decimal("99.9"), valid_from=date(2026, 11, 1), actor=ALICE)
    editor.post(TARGETS, fields)
    assert sorted(targets()) == [("REST API", "99.9", date(2026, 11, 1)), ("Website", "99", date(2026, 11, 1))]


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"percent": "a lot"}, "“a lot” is not a percentage. Example: 99.9"),
        ({"percent": "101"}, "Enter a target above 0 and up to 100 percent."),
        ({"percent": "0"}, "Enter a target above 0"),
        ({"percent": "99.9999"}, "Enter a target with at most three decimals"),
        ({"percent": "NaN"}, "Enter a target above 0"),
        ({"percent": "9" * 30}, "at most 20 characters"),
        ({"percent": "99", "valid_from": "soon"}, "Enter a valid date."),
        ({"percent": "99", "valid_from": ""}, "Enter the day from which the targets are valid."),
        ({"percent": "99", "valid_from": "1066-10-14"}, "is not a valid first day for a target"),
    ],
)
def test_bad_input_is_refused_beside_its_field_with_everything_still_there(
    editor: Client, page: Page, api: Component, typed: dict[str, str], complaint: str
) -> None:
    website = make_component(page, "Website")
    percent, rest = typed["percent"], {name: value for name, value in typed.items() if name != "percent"}
    answer = set_by_form(editor, {name_of(api): percent, name_of(website): "98", **rest})
    assert answer.status_code == 422
    document = parsed_page(answer)
    assert [complaint in document.text, len(invalid_controls(document))] == [True, 1]
    assert document.one("input", name=name_of(website)).attributes["value"] == "98"
    assert document.one("input", name=name_of(api)).attributes["value"] == percent
    assert not ServiceTarget.objects.exists()


def test_without_components_there_is_nothing_to_promise(editor: Client) -> None:
    text = parsed_page(editor.get(TARGETS)).one("main").text
    assert "No components yet." in text


def test_owners_switch_what_visitors_may_read(page: Page) -> None:
    owner = signed_in("owner")
    owner.post(SWITCHES, fill_in(owner, SWITCHES, analytics="on"))
    page.refresh_from_db()
    assert (page.analytics_public, page.reports_public) == (True, False)
    owner.post(SWITCHES, fill_in(owner, SWITCHES, analytics=None, reports="on"))
    page.refresh_from_db()
    assert (page.analytics_public, page.reports_public) == (False, True)
    assert Client().get("/reports").status_code == 200
    assert Client().get("/analytics").status_code == 404


def test_staff_sees_hidden_incidents_in_reports_and_visitors_do_not(editor: Client, page: Page, api: Component) -> None:
    incident = make_incident(page, title="Kept quiet", components={api: "major_outage"}, at=NOW - MINUTE)
    incident_lifecycle.hide(incident, actor=ALICE, reason="A test.")
    Page.objects.update(reports_public=True)
    assert (
        "Kept quiet hidden from visitors"
        in parsed_page(editor.get(f"/console/p/acme/reports/{api.public_id}/2026-11")).text
    )
    assert "Kept quiet" not in parsed_page(Client().get(f"/reports/{api.public_id}/2026-11")).text


def impact_form(incident: Incident) -> tuple[str, str]:
    return (
        f"/console/p/acme/incidents/{incident.public_id}",
        f"/console/p/acme/incidents/{incident.public_id}/impact-start",
    )


def say_when(client: Client, incident: Incident, typed: str) -> Any:
    where, action = impact_form(incident)
    return client.post(action, fill_in(client, where, action, impact_started_at=typed))


def test_staff_says_when_the_impact_began(editor: Client, page: Page) -> None:
    incident = make_incident(page, at=NOW - 10 * MINUTE)
    answer = say_when(editor, incident, "2026-11-25 12:40")
    where, action = impact_form(incident)
    assert answer["Location"] == where
    incident.refresh_from_db()
    assert incident.impact_started_at == NOW - 20 * MINUTE
    document = parsed_page(editor.get(where))
    assert "Impact began Nov 25, 2026 - 12:40 CET" in document.text
    assert form_to(document, action).one("input", name="impact_started_at").attributes["value"] == "2026-11-25 12:40"
    assert parsed_page(editor.get("/console/p/acme/analytics")).one("main").text.count("1 of 1") >= 1


def test_an_impact_that_began_when_the_clocks_went_back_stays_in_its_hour(editor: Client, page: Page) -> None:
    incident = make_resolved(page, at=datetime(2026, 10, 25, 3, tzinfo=UTC))
    say_when(editor, incident, "2026-10-25T02:30+01:00")
    where, action = impact_form(incident)
    value = form_to(parsed_page(editor.get(where)), action).one("input", name="impact_started_at").attributes["value"]
    assert value == "2026-10-25 02:30+01:00"
    say_when(editor, incident, value)
    incident.refresh_from_db()
    assert incident.impact_started_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("soon", "Enter a time in the page"),
        ("2026-11-25 12:55", "Enter a time before the first update (Nov 25, 2026 - 12:50 CET)."),
        ("2027-01-01 00:00", "is in the future"),
        ("2026-03-29 02:30", "does not exist"),
    ],
)
def test_a_start_that_cannot_be_comes_back_as_typed(editor: Client, page: Page, typed: str, complaint: str) -> None:
    incident = make_incident(page, at=NOW - 10 * MINUTE)
    answer = say_when(editor, incident, typed)
    assert answer.status_code == 422
    document = parsed_page(answer)
    (control,) = invalid_controls(document)
    assert control.attributes["value"] == typed
    assert complaint in document.text
    assert "open" in document.one("details", id="impact-start").attributes
    incident.refresh_from_db()
    assert incident.impact_started_at is None


def test_staff_pages_need_few_queries_however_long_the_history(page: Page, api: Component) -> None:
    viewer = signed_in("viewer")
    paths = [
        "/console/p/acme/reports",
        f"/console/p/acme/reports/{api.public_id}/2026-10",
        "/console/p/acme/analytics",
        "/console/p/acme/reports.csv",
    ]

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert viewer.get(path).status_code == 200
        return len(queries)

    make_resolved(page, at=NOW - timedelta(days=400), until=NOW - timedelta(days=399))
    before = [count(path) for path in paths]
    assert max(before) <= 12
    for number in range(20):
        then = NOW - timedelta(days=9 * number + 1)
        make_resolved(page, at=then, until=then + MINUTE, components={api: "operational"})
    for number in range(20):
        make_component(page, f"Part {number}")
    assert [count(path) for path in paths] == before


def test_setting_two_hundred_targets_asks_the_database_a_constant_number_of_times_to_show(page: Page) -> None:
    editor = signed_in("editor")
    make_component(page, "First")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert editor.get(TARGETS).status_code == 200
        return len(queries)

    before = count()
    for number in range(30):
        make_component(page, f"Part {number}")
    assert count() == before
