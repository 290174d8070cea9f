"""Scheduling a maintenance: what the form makes, warns of, and refuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions.maintenances.maintenance_lifecycle import options_of
from incidents.models import Event, Incident, MaintenanceSeries, Page
from tests.console.staff import fields_of, fill_in, form_to, invalid_controls, parsed_page
from tests.factories import make_component, make_group, make_maintenance, make_subscriber
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

NEW = "/console/p/acme/maintenances/new"
NOW = datetime(2026, 10, 21, 10, 0, tzinfo=UTC)
START = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
TYPED = {
    "title": "Database upgrade",
    "body": "We **upgrade** it.",
    "scheduled_for": "2026-10-24 02:00",
    "scheduled_until": "2 h",
}


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def press(client: Client, **typed: Any) -> Any:
    return client.post(NEW, fill_in(client, NEW, **TYPED | typed))


def complaints(answer: Any) -> dict[str, str]:
    """What is said beside which control."""
    assert answer.status_code == 422
    document = parsed_page(answer)
    ids = {element.attributes["id"]: element for element in document.walk() if "id" in element.attributes}
    messages = {}
    for control in invalid_controls(document):
        names = [name for name in control.attributes["aria-describedby"].split() if name.endswith("_error")]
        messages[control.attributes.get("name", control.attributes["id"])] = " ".join(ids[name].text for name in names)
    return messages


def test_a_title_a_message_a_start_and_an_end_are_enough(editor: Client, page: Page) -> None:
    answer = press(editor)
    maintenance = Incident.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/console/p/acme/incidents/{maintenance.public_id}")
    assert (maintenance.kind, maintenance.status, maintenance.title) == ("maintenance", "scheduled", "Database upgrade")
    assert maintenance.window == (START, START + timedelta(hours=2))
    assert maintenance.updates.get().body_html == "<p>We <strong>upgrade</strong> it.</p>"
    assert options_of(maintenance).reminders == (60,)
    assert all(options_of(maintenance).switches.values())
    assert maintenance.events.get().notify
    assert "Maintenance scheduled." in parsed_page(editor.get(answer["Location"])).text
    assert "Database upgrade" in parsed_page(Client().get("/")).text


@pytest.mark.parametrize(
    ("end", "hours"), [("04:00", 2), ("2026-10-24 05:30", 3.5), ("90 min", 1.5), ("2026-10-24T03:00Z", 3)]
)
def test_the_end_may_be_a_time_or_a_length(editor: Client, end: str, hours: float) -> None:
    press(editor, scheduled_until=end)
    assert Incident.objects.get().window == (START, START + timedelta(hours=hours))


def test_the_chosen_components_are_named_and_keep_their_status(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website", status="partial_outage")
    make_component(page, "Fax")
    press(editor, components=[rest.public_id, website.public_id])
    assert Incident.objects.get().affected_components() == [rest, website]
    rest.refresh_from_db()
    assert rest.status == "operational"


def test_every_box_is_its_own(editor: Client) -> None:
    press(
        editor,
        auto_complete=None,
        restore_components=None,
        notify_start=None,
        notify=None,
        reminders=["15", "1440"],
        more_reminders="120, 30",
    )
    maintenance = Incident.objects.get()
    options = options_of(maintenance)
    assert (options.auto_start, options.auto_complete) == (True, False)
    assert (options.set_components, options.restore_components) == (True, False)
    assert (options.notify_start, options.notify_end) == (False, True)
    assert sorted(options.reminders) == [15, 30, 120, 1440]
    assert not maintenance.events.get().notify


def test_clearing_all_reminders_schedules_none(editor: Client) -> None:
    press(editor, reminders=None)
    assert options_of(Incident.objects.get()).reminders == ()


def test_the_form_summarizes_the_options(editor: Client) -> None:
    summary = form_to(parsed_page(editor.get(NEW))).one("summary").text
    assert summary.startswith(
        "Starts and completes automatically, notifies subscribers about the start and the end, "
        "sends reminders 1 hour before."
    )
    answer = press(editor, auto_start=None, notify_start=None, notify_end=None, reminders=None, body="")
    assert (
        form_to(parsed_page(answer))
        .one("summary")
        .text.startswith("Is started manually, completes automatically, no notification at the start or end.")
    )


def test_it_says_how_many_will_be_told(editor: Client, page: Page) -> None:
    make_subscriber(page)
    assert parsed_page(editor.get(NEW)).text.endswith("Notify 1 subscriber")


def test_a_double_click_makes_one(editor: Client) -> None:
    sent = fill_in(editor, NEW, **TYPED)
    answers = [editor.post(NEW, sent) for _ in range(2)]
    assert len({answer["Location"] for answer in answers}) == Incident.objects.count() == 1


def test_without_javascript_the_preview_keeps_all_that_was_typed(editor: Client, page: Page) -> None:
    rest = make_component(page)
    typed: dict[str, Any] = TYPED | {
        "repeat": "biweekly",
        "components": [rest.public_id],
        "reminders": ["15"],
        "auto_start": None,
    }
    sent = fill_in(editor, NEW, **typed, preview="1")
    answer = editor.post(NEW, sent)
    assert answer.status_code == 200
    document = parsed_page(answer)
    assert document.one("div", class_="preview").one("strong").text == "upgrade"
    assert len(document.one("ol", class_="dates").all("li")) == 3
    held = fields_of(form_to(document))
    for name in ("csrfmiddlewaretoken", "preview"):
        held.pop(name, None)
        sent.pop(name, None)
    assert held == sent
    assert not Incident.objects.exists()


# Repeating


def dates(client: Client, **typed: Any) -> Element:
    """The fragment that htmx asks for."""
    sent = fill_in(client, NEW, **TYPED | typed, preview="1")
    answer = client.post(NEW, sent, headers={"hx-request": "true"})
    assert answer.status_code == 200
    return parsed_page(answer).one("div", id="dates")


@pytest.mark.parametrize(
    ("repeat", "rule", "expected"),
    [
        ("weekly", "", ["Saturday, Oct 24, 2026", "Saturday, Oct 31, 2026", "Saturday, Nov 07, 2026"]),
        ("biweekly", "", ["Saturday, Oct 24, 2026", "Saturday, Nov 07, 2026", "Saturday, Nov 21, 2026"]),
        ("monthly", "", ["Saturday, Oct 24, 2026", "Saturday, Nov 28, 2026", "Saturday, Dec 26, 2026"]),
        (
            "own",
            "FREQ=MONTHLY;BYDAY=1SU",
            ["Sunday, Nov 01, 2026", "Sunday, Dec 06, 2026", "Sunday, Jan 03, 2027"],
        ),
    ],
)
def test_the_next_dates_are_shown_on_the_clock_of_the_page(
    editor: Client, repeat: str, rule: str, expected: list[str]
) -> None:
    shown = [item.text for item in dates(editor, repeat=repeat, rule=rule).all("li")]
    assert [text.split(", 02:00 – 04:00 ")[0] for text in shown] == expected
    assert {text.rsplit(" ", 1)[1] for text in shown} <= {"CEST", "CET"}
    assert not Incident.objects.exists()


def test_the_local_time_is_kept_across_daylight_saving_changes(editor: Client) -> None:
    shown = [item.text for item in dates(editor, repeat="weekly").all("li")]
    assert shown == [
        "Saturday, Oct 24, 2026, 02:00 – 04:00 CEST",
        "Saturday, Oct 31, 2026, 02:00 – 04:00 CET",
        "Saturday, Nov 07, 2026, 02:00 – 04:00 CET",
    ]


def test_a_fifth_weekday_is_taken_as_the_last_of_its_month(editor: Client) -> None:
    shown = dates(editor, repeat="monthly", scheduled_for="2026-10-31 02:00").text
    assert "Oct 31, 2026" in shown
    assert "Nov 28, 2026" in shown


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"repeat": "weekly", "scheduled_for": ""}, "Enter a start and an end to see the next dates"),
        ({"repeat": "own", "rule": ""}, "Enter a rule."),
        ({"repeat": "own", "rule": "FREQ=HOURLY"}, "HOURLY"),
        ({"repeat": "own", "rule": "FREQ=WEEKLY;UNTIL=20200101"}, "no occurrences"),
    ],
)
def test_missing_dates_are_explained(editor: Client, typed: dict[str, str], expected: str) -> None:
    fragment = dates(editor, **typed)
    assert not fragment.all("li")
    assert expected in fragment.text


def test_a_series_is_made_and_its_next_three_are_on_the_page(editor: Client, page: Page) -> None:
    rest = make_component(page)
    answer = press(editor, repeat="biweekly", components=[rest.public_id], reminders=["15"])
    series = MaintenanceSeries.objects.get()
    assert answer["Location"] == f"/console/p/acme/series/{series.public_id}"
    assert (series.rule, series.duration) == ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", timedelta(hours=2))
    assert f"{series.starts_at:%Y-%m-%d %H:%M}" == "2026-10-24 02:00"
    assert (list(series.components.all()), series.reminders) == ([rest], [15])
    assert [
        f"{occurrence.window[0].astimezone(page.zone):%m-%d %H:%M}" for occurrence in series.occurrences.soonest_first()
    ] == [
        "10-24 02:00",
        "11-07 02:00",
        "11-21 02:00",
    ]
    assert Event.objects.filter(notify=True).count() == 1


# Warnings


def warned(answer: Any) -> str:
    assert answer.status_code == 422
    document = parsed_page(answer)
    assert not document.all("div", class_="error")
    return document.one("div", class_="warning").text


def test_an_overlap_is_shown_once_and_confirmed_by_submitting_again(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    make_maintenance(page, begins=START + timedelta(hours=1), title="New disks", components=[rest, website])
    answer = press(editor, components=[rest.public_id])
    text = warned(answer)
    assert "“New disks” (Oct 24, 2026, 03:00 – 05:00 CEST) is scheduled for the same time on REST API." in text
    assert Incident.objects.count() == 1
    again = editor.post(NEW, fields_of(form_to(parsed_page(answer))))
    assert again.status_code == 302
    assert Incident.objects.count() == 2


def test_a_new_warning_is_shown_after_another_was_confirmed(editor: Client, page: Page) -> None:
    answer = press(editor, scheduled_until="2 days")
    assert "The maintenance takes 2 days." in warned(answer)
    held = fields_of(form_to(parsed_page(answer))) | {"scheduled_until": ["3 days"]}
    assert "The maintenance takes 3 days." in warned(editor.post(NEW, held))
    assert not Incident.objects.exists()


def test_another_component_or_another_time_is_no_overlap(editor: Client, page: Page) -> None:
    rest, website = make_component(page, "REST API"), make_component(page, "Website")
    make_maintenance(page, begins=START, components=[website])
    make_maintenance(page, begins=START + timedelta(hours=2), components=[rest])
    assert press(editor, components=[rest.public_id]).status_code == 302


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"scheduled_until": "25 h"}, "The maintenance takes 1 day 1 hour."),
        ({"scheduled_for": "2028-10-24 02:00"}, "The maintenance starts on Oct 24, 2028, more than a year from now."),
        (
            {"repeat": "own", "rule": "FREQ=WEEKLY;BYDAY=SU"},
            "The first date of this rule is Sunday, Oct 25, 2026, not Saturday, Oct 24.",
        ),
        (
            {"repeat": "own", "rule": "FREQ=DAILY", "scheduled_until": "30 h"},
            "one starts before the previous one ends",
        ),
    ],
)
def test_unusual_schedules_show_a_warning(editor: Client, typed: dict[str, str], expected: str) -> None:
    assert expected in warned(press(editor, **typed))
    assert not Incident.objects.exists()


def test_the_warnings_of_a_series_look_at_its_next_three(editor: Client, page: Page) -> None:
    rest = make_component(page)
    make_maintenance(page, begins=START + timedelta(days=7), title="New disks", components=[rest])
    assert "“New disks”" in warned(press(editor, repeat="weekly", components=[rest.public_id]))
    assert not MaintenanceSeries.objects.exists()


# Bad input


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"scheduled_for": ""}, {"scheduled_for": "Enter a start time."}),
        ({"scheduled_until": ""}, {"scheduled_until": "Enter an end time."}),
        ({"scheduled_for": "tomorrow"}, {"scheduled_for": "Enter a time in the page's time zone"}),
        ({"scheduled_until": "soon"}, {"scheduled_until": "a time of day (04:00), or a duration (2 h, 90 min)."}),
        ({"scheduled_until": "2026-10-24 01:00"}, {"scheduled_until": "Enter an end time after the start time."}),
        ({"scheduled_until": "2026-10-24 02:00"}, {"scheduled_until": "Enter an end time after the start time."}),
        ({"scheduled_until": "02:00"}, {"scheduled_until": "Enter an end time after the start time."}),
        ({"scheduled_until": "0 min"}, {"scheduled_until": "Enter an end time after the start time."}),
        ({"scheduled_until": "100000 days"}, {"scheduled_until": "at most 90 days"}),
        ({"scheduled_until": "999999d 999999d 999999d 999999d"}, {"scheduled_until": "This duration is too long."}),
        ({"scheduled_for": "2026-10-20 02:00"}, {"scheduled_for": "The start time is in the past"}),
        ({"scheduled_for": "2027-03-28 02:30"}, {"scheduled_for": "02:30 does not exist on Mar 28 in Europe/Berlin"}),
        ({"scheduled_for": "2026-10-25 02:30"}, {"scheduled_for": "Enter 2026-10-25T02:30+0200 or"}),
        ({"scheduled_for": "2026-10-25 00:30", "scheduled_until": "02:30"}, {"scheduled_until": "occurs twice"}),
        ({"title": ""}, {"title": "The title is missing."}),
        ({"body": "  "}, {"body": "Enter a message."}),
        ({"body": "<script>x</script>"}, {"body": "HTML like <script> is not allowed."}),
        ({"repeat": "yearly"}, {"repeat": "not one of the available choices"}),
        ({"repeat": "own"}, {"rule": "Enter a rule."}),
        ({"repeat": "own", "rule": "FREQ=SECONDLY"}, {"rule": "SECONDLY"}),
        ({"repeat": "own", "rule": "every second sunday"}, {"rule": "EVERYSECONDSUNDAY"}),
        ({"repeat": "own", "rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, {"rule": "no occurrences"}),
        ({"rule": "FREQ=WEEKLY"}, {"rule": "Select “Custom rule”"}),
        ({"more_reminders": "an hour"}, {"more_reminders": "Enter minutes as whole numbers"}),
        ({"more_reminders": "0"}, {"id_reminders": "1 minute to 30 days"}),
        ({"more_reminders": "1 2 3 4 5 6 7"}, {"id_reminders": "reminders"}),
    ],
)
def test_invalid_values_are_rejected_next_to_their_field(
    editor: Client, typed: dict[str, str], expected: dict[str, str]
) -> None:
    answer = press(editor, **typed)
    if answer.status_code == 422 and parsed_page(answer).all("div", class_="warning"):
        answer = editor.post(NEW, fields_of(form_to(parsed_page(answer))))
    messages = complaints(answer)
    assert set(messages) == set(expected)
    assert all(text in messages[name] for name, text in expected.items())
    held = fields_of(form_to(parsed_page(answer)))
    for name, text in (TYPED | typed).items():
        if name != "repeat" or text != "yearly":
            assert held.get(name, [""]) == [text], name
    assert not Incident.objects.exists()
    assert not Event.objects.exists()


def test_all_errors_are_shown_at_once(editor: Client) -> None:
    messages = complaints(press(editor, title="", body="", scheduled_for="noon", scheduled_until="soon"))
    assert set(messages) == {"title", "body", "scheduled_for", "scheduled_until"}


@pytest.mark.parametrize("code", ["nosuchcode12", "' or 1=1", "x" * 500])
def test_a_component_that_is_not_on_the_page_is_refused(editor: Client, code: str) -> None:
    messages = complaints(press(editor, components=[code]))
    assert "There is no component" in messages["id_components"]
    assert not Incident.objects.exists()


def test_an_empty_post_is_rejected_like_an_empty_form(editor: Client) -> None:
    assert editor.post(NEW).status_code == 422


def test_two_hundred_components_cost_as_many_queries_as_two(editor: Client, page: Page) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(NEW).status_code == 200
        return len(captured)

    make_component(page)
    before = queries()
    for number in range(4):
        group = make_group(page, f"Group {number}")
        for member in range(25):
            make_component(page, f"Component {member}", group=group)
    assert queries() == before <= 8
