"""A maintenance that repeats: its page, changing it, ending it, and one of it alone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.maintenances import maintenance_series as actions
from incidents.models import Incident, MaintenanceSeries, Page
from tests.console.staff import fields_of, fill_in, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import ALICE, BOB, make_component, make_maintenance, make_page, make_series
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 10, 8, 10, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def series(page: Page) -> MaintenanceSeries:
    """Every second Sunday at 02:00 from Oct 11 on: Oct 11, Oct 25 (the clocks go back), Nov 8."""
    return make_series(page, components=[make_component(page)])


def url_of(series: MaintenanceSeries, verb: str = "") -> str:
    return f"/console/p/acme/series/{series.public_id}" + (f"/{verb}" if verb else "")


def shown(client: Client, series: MaintenanceSeries) -> Element:
    return parsed_page(client.get(url_of(series)))


def edit(client: Client, series: MaintenanceSeries, **typed: Any) -> Any:
    return client.post(url_of(series, "edit"), fill_in(client, url_of(series, "edit"), **typed))


def starts(series: MaintenanceSeries) -> list[str]:
    return [
        f"{occurrence.window[0].astimezone(series.zone):%m-%d %H:%M}"
        for occurrence in series.occurrences.ahead().soonest_first()
    ]


def test_its_page_lists_the_next_ones_with_their_local_times(editor: Client, series: MaintenanceSeries) -> None:
    document = shown(editor, series)
    assert document.one("h1").text == "Patch day"
    assert "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU from Oct 11, 2026, 02:00 in Europe/Berlin, 2 hours each" in document.text
    rows = [row.text for row in document.one("ul", class_="rows").all("li")]
    assert [text.split(" Scheduled")[0] for text in rows] == [
        "Oct 11, 2026, 02:00 – 04:00 CEST",
        # Two hours are two hours, in the night that has one twice.
        "Oct 25, 2026, 02:00 CEST – 03:00 CET",
        "Nov 08, 2026, 02:00 – 04:00 CET",
    ]


def test_past_occurrences_are_listed_below(editor: Client, series: MaintenanceSeries) -> None:
    first = series.occurrences.soonest_first()[0]
    maintenance_lifecycle.cancel(first, actor=ALICE)
    over = shown(editor, series).all("ul", class_="rows")[1]
    assert over.text == "Oct 11, 2026, 02:00 – 04:00 CEST Canceled"


def test_one_is_cancelled_alone_from_its_own_page(editor: Client, series: MaintenanceSeries) -> None:
    second = series.occurrences.soonest_first()[1]
    door = f"/console/p/acme/maintenances/{second.public_id}/cancel"
    editor.post(door, fill_in(editor, f"/console/p/acme/incidents/{second.public_id}", door))
    assert starts(series) == ["10-11 02:00", "11-08 02:00"]
    series.refresh_from_db()
    assert series.ended_at is None


def test_the_series_stands_in_the_list_of_maintenances(editor: Client, series: MaintenanceSeries) -> None:
    document = parsed_page(editor.get("/console/p/acme/incidents?show=maintenance"))
    assert url_of(series) in [link.attributes["href"] for link in document.all("a")]
    actions.end_series(series, actor=ALICE)
    assert "Recurring maintenance" not in parsed_page(editor.get("/console/p/acme/incidents?show=maintenance")).text


def test_its_form_holds_what_it_is_and_shows_the_next_dates(editor: Client, series: MaintenanceSeries) -> None:
    document = parsed_page(editor.get(url_of(series, "edit")))
    fields = fields_of(form_to(document))
    assert fields["title"] == ["Patch day"]
    assert fields["scheduled_for"] == ["2026-10-11 02:00"]
    assert fields["scheduled_until"] == ["2 hours"]
    assert fields["repeat"] == ["biweekly"]
    assert fields["components"] == [series.components.get().public_id]
    assert "notify" not in fields
    assert len(document.one("ol", class_="dates").all("li")) == 3


def test_a_custom_rule_is_shown_as_a_custom_rule(editor: Client, page: Page) -> None:
    series = make_series(page, rule="FREQ=MONTHLY;BYDAY=1SU")
    fields = fields_of(form_to(parsed_page(editor.get(url_of(series, "edit")))))
    assert (fields["repeat"], fields["rule"]) == (["own"], ["FREQ=MONTHLY;BYDAY=1SU"])


def test_saving_it_untouched_changes_no_date(editor: Client, series: MaintenanceSeries) -> None:
    before = starts(series)
    assert edit(editor, series).status_code == 302
    assert starts(series) == before


def test_a_new_time_moves_all_but_the_one_that_was_moved_alone(editor: Client, series: MaintenanceSeries) -> None:
    second = series.occurrences.soonest_first()[1]
    moved = second.window[0] + timedelta(days=1)
    maintenance_lifecycle.reschedule(
        second, scheduled_for=moved, scheduled_until=moved + timedelta(hours=1), actor=ALICE
    )
    answer = edit(editor, series, scheduled_for="2026-10-11 03:00", title="Patch night")
    assert (answer.status_code, answer["Location"]) == (302, url_of(series))
    assert starts(series) == ["10-11 03:00", "10-26 01:00", "11-08 03:00"]
    assert "Patch night" in shown(editor, series).one("h1").text


def test_after_its_first_one_has_passed_it_can_still_be_changed(
    editor: Client, series: MaintenanceSeries, clock: Any
) -> None:
    clock.move_to(datetime(2026, 10, 12, tzinfo=UTC))
    answer = edit(editor, series, body="We install more updates.")
    assert answer.status_code == 302
    series.refresh_from_db()
    assert series.body == "We install more updates."


def test_a_series_is_read_in_the_zone_that_it_was_made_in(
    editor: Client, page: Page, series: MaintenanceSeries
) -> None:
    Page.objects.update(time_zone="Asia/Kathmandu")
    before = starts(series)
    document = parsed_page(editor.get(url_of(series, "edit")))
    assert "In Europe/Berlin." in document.text
    assert edit(editor, series).status_code == 302
    assert starts(series) == before


def test_its_own_occurrences_are_no_overlap(editor: Client, page: Page, series: MaintenanceSeries) -> None:
    assert edit(editor, series, scheduled_until="3 h").status_code == 302
    make_maintenance(page, begins=datetime(2026, 11, 8, 1, tzinfo=UTC), components=list(series.components.all()))
    answer = edit(editor, series, scheduled_until="4 h")
    assert answer.status_code == 422
    assert "is scheduled for the same time" in parsed_page(answer).one("div", class_="warning").text
    assert editor.post(url_of(series, "edit"), fields_of(form_to(parsed_page(answer)))).status_code == 302


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"scheduled_until": "0 h"}, "scheduled_until"),
        ({"scheduled_for": "noon"}, "scheduled_for"),
        ({"repeat": "own", "rule": "FREQ=HOURLY"}, "rule"),
        ({"repeat": "own", "rule": "FREQ=WEEKLY;UNTIL=20261001"}, "rule"),
        ({"title": ""}, "title"),
        ({"body": ""}, "body"),
    ],
)
def test_an_invalid_change_is_rejected_next_to_its_field(
    editor: Client, series: MaintenanceSeries, typed: dict[str, str], field: str
) -> None:
    before = MaintenanceSeries.objects.values().get()
    answer = edit(editor, series, **typed)
    assert answer.status_code == 422
    (control,) = invalid_controls(parsed_page(answer))
    assert control.attributes["name"] == field
    held = fields_of(form_to(parsed_page(answer)))
    assert all(held.get(name, [""]) == [value] for name, value in typed.items())
    assert MaintenanceSeries.objects.values().get() == before


def test_a_conflict_keeps_the_text(editor: Client, series: MaintenanceSeries) -> None:
    sent = fill_in(editor, url_of(series, "edit"), title="Mine")
    actions.end_series(MaintenanceSeries.objects.get(), actor=BOB, cancel_upcoming=False)
    answer = editor.post(url_of(series, "edit"), sent)
    assert answer.status_code == 422
    assert "Someone else changed this recurring maintenance" in parsed_page(answer).text
    assert fields_of(form_to(parsed_page(answer)))["title"] == ["Mine"]
    again = editor.post(url_of(series, "edit"), fields_of(form_to(parsed_page(answer))))
    assert "This series has ended." in parsed_page(again).text


@pytest.mark.parametrize(("cancel", "left"), [("on", 0), (None, 3)])
def test_ending_it_cancels_the_rest_or_leaves_it(
    editor: Client, series: MaintenanceSeries, cancel: str | None, left: int
) -> None:
    door = url_of(series, "end")
    typed = {"cancel_upcoming": cancel, "body": "We moved to rolling updates."}
    answer = editor.post(door, fill_in(editor, url_of(series), door, **typed))
    assert (answer.status_code, answer["Location"]) == (302, url_of(series))
    series.refresh_from_db()
    assert series.ended_at
    assert series.occurrences.upcoming().count() == left
    notes = [occurrence.updates.newest_first()[0].body for occurrence in series.occurrences.ended()]
    assert notes == ["We moved to rolling updates."] * (3 - left)
    document = shown(editor, series)
    assert "Recurring maintenance, ended" in document.text
    assert door not in [form.attributes.get("action") for form in document.all("form")]


def test_a_note_that_cannot_be_published_ends_nothing(editor: Client, series: MaintenanceSeries) -> None:
    door = url_of(series, "end")
    answer = editor.post(door, fill_in(editor, url_of(series), door, body="<script>x</script>"))
    assert answer.status_code == 422
    (control,) = invalid_controls(parsed_page(answer))
    assert control.attributes["name"] == "body"
    assert Incident.objects.upcoming().count() == 3


def test_ending_it_twice_is_no_error_page(editor: Client, series: MaintenanceSeries) -> None:
    door = url_of(series, "end")
    sent = fill_in(editor, url_of(series), door)
    assert [editor.post(door, sent).status_code for _ in range(2)] == [302, 422]


def test_a_viewer_only_reads(page: Page, series: MaintenanceSeries) -> None:
    viewer = signed_in("viewer")
    document = shown(viewer, series)
    assert len(document.one("ul", class_="rows").all("li")) == 3
    assert not [form for form in document.all("form") if "series" in form.attributes.get("action", "")]
    assert viewer.get(url_of(series, "edit")).status_code == viewer.post(url_of(series, "end")).status_code == 403


def test_a_series_of_another_page_is_not_found(editor: Client, page: Page) -> None:
    other = make_series(make_page(name="Other", domain="other.example"))
    for verb in ("", "edit", "end"):
        assert editor.get(url_of(other, verb)).status_code == 404


def test_its_page_costs_the_same_for_a_long_past(editor: Client, page: Page, series: MaintenanceSeries) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            shown(editor, series)
        return len(captured)

    maintenance_lifecycle.cancel(series.occurrences.soonest_first()[0], actor=ALICE)
    before = queries()
    for occurrence in list(series.occurrences.upcoming()):
        maintenance_lifecycle.cancel(occurrence, actor=ALICE)
    assert queries() <= before
