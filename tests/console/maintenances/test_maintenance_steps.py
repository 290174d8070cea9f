"""What can be done with a maintenance on its page, step by step, and what cannot."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions.maintenances import maintenance_lifecycle as actions
from incidents.actions.maintenances.maintenance_lifecycle import options_of
from incidents.models import Event, Incident, Page
from tests.console.maintenances.one_maintenance import END, NOW, START, step_url, url_of
from tests.console.staff import fields_of, fill_in, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import (
    ALICE,
    make_component,
    make_incident,
    make_maintenance,
    make_series,
    make_subscriber,
)
from tests.public.parsed_page import Element

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def shown(client: Client, maintenance: Incident) -> Element:
    return parsed_page(client.get(url_of(maintenance)))


def take(client: Client, maintenance: Incident, step: str, **typed: Any) -> Any:
    """Fill in the form of that step and press its button."""
    prefixed = {f"{step}-{name}": value for name, value in typed.items()}
    return client.post(
        step_url(maintenance, step), fill_in(client, url_of(maintenance), step_url(maintenance, step), **prefixed)
    )


def steps(client: Client, maintenance: Incident) -> list[str]:
    doors = [form.attributes.get("action", "") for form in shown(client, maintenance).all("form")]
    return [path.rsplit("/", 1)[1] for path in doors if maintenance.public_id in path]


# What is offered


def test_before_it_begins_it_can_be_written_about_started_moved_changed_and_cancelled(
    editor: Client, maintenance: Incident
) -> None:
    assert steps(editor, maintenance) == ["update", "start", "reschedule", "options", "cancel"]
    text = shown(editor, maintenance).text
    assert "Oct 24, 2026, 02:00 – 04:00 CEST" in text
    assert "Starts automatically, Oct 24, 2026 - 02:00 CEST" in text


def test_while_it_runs_it_can_be_completed_and_extended(editor: Client, running: Incident) -> None:
    assert steps(editor, running) == ["update", "complete", "reschedule", "options", "cancel"]
    assert "Completes automatically, Oct 24, 2026 - 04:00 CEST" in shown(editor, running).text


def test_a_completed_maintenance_offers_no_actions(editor: Client, running: Incident) -> None:
    actions.complete(running, actor=ALICE)
    assert steps(editor, running) == []


def test_a_viewer_only_reads(page: Page, maintenance: Incident) -> None:
    assert steps(signed_in("viewer"), maintenance) == []


def test_its_page_costs_the_same_with_many_components(editor: Client, page: Page) -> None:
    def queries(count: int) -> int:
        parts = [make_component(page, f"Part {count}-{number}") for number in range(count)]
        maintenance = make_maintenance(page, begins=START, components=parts)
        with CaptureQueriesContext(connection) as captured:
            shown(editor, maintenance)
        return len(captured)

    assert queries(1) == queries(12)


# Start, update, complete, cancel


def test_start_now_begins_it_with_its_components(editor: Client, maintenance: Incident) -> None:
    answer = take(editor, maintenance, "start", body="We begin early.")
    assert (answer.status_code, answer["Location"]) == (302, url_of(maintenance))
    maintenance.refresh_from_db()
    assert (maintenance.status, maintenance.began_at) == ("in_progress", NOW)
    assert maintenance.updates.newest_first()[0].body == "We begin early."
    assert maintenance.affected_components()[0].status == "under_maintenance"
    assert "Maintenance started." in parsed_page(editor.get(url_of(maintenance))).text


def test_an_empty_message_becomes_the_default_text(editor: Client, maintenance: Incident) -> None:
    take(editor, maintenance, "start", body="")
    assert maintenance.updates.newest_first()[0].body == "The scheduled maintenance has started."


def test_the_box_of_a_step_is_ticked_as_the_options_say_and_decides(editor: Client, page: Page) -> None:
    maintenance = make_maintenance(page, begins=START, notify_start=False)
    fields = fields_of(form_to(shown(editor, maintenance), step_url(maintenance, "start")))
    assert "start-notify" not in fields
    take(editor, maintenance, "start", notify="on")
    assert maintenance.events.get(kind="maintenance.started").notify


def test_an_upcoming_one_is_written_about_without_beginning(editor: Client, maintenance: Incident) -> None:
    action = f"{url_of(maintenance)}/update"
    form = form_to(shown(editor, maintenance), action)
    assert not form.all("select")
    answer = editor.post(action, fill_in(editor, url_of(maintenance), action, body="We bring two more disks."))
    assert answer.status_code == 302
    maintenance.refresh_from_db()
    assert (maintenance.status, maintenance.updates.count()) == ("scheduled", 2)


def test_a_running_one_is_verified_by_an_update(editor: Client, running: Incident) -> None:
    action = f"{url_of(running)}/update"
    options = form_to(shown(editor, running), action).all("select")[0].all("option")
    assert [option.text for option in options] == ["In progress", "Verifying"]
    editor.post(action, fill_in(editor, url_of(running), action, body="We look.", status="verifying"))
    running.refresh_from_db()
    assert running.status == "verifying"


@pytest.mark.parametrize("status", ["in_progress", "completed", "resolved", "investigating"])
def test_an_update_cannot_begin_or_end_it(editor: Client, maintenance: Incident, status: str) -> None:
    action = f"{url_of(maintenance)}/update"
    sent = fill_in(editor, url_of(maintenance), action, body="We begin.", status=status)
    answer = editor.post(action, sent)
    assert answer.status_code == 422
    assert "We begin." in fields_of(form_to(parsed_page(answer), action))["body"]
    assert maintenance.updates.count() == 1


def test_complete_sets_its_components_back(editor: Client, running: Incident, clock: Any) -> None:
    clock.move_to(START + timedelta(hours=1))
    form = form_to(shown(editor, running), step_url(running, "complete"))
    assert [box.attributes["value"] for box in form.all("input", name="complete-restore", checked="")]
    answer = take(editor, running, "complete")
    assert answer.status_code == 302
    running.refresh_from_db()
    assert (running.status, running.resolved_at) == ("completed", START + timedelta(hours=1))
    assert running.affected_components()[0].status == "operational"


def test_what_is_unticked_stays_under_maintenance(editor: Client, running: Incident) -> None:
    take(editor, running, "complete", restore=None)
    assert running.affected_components()[0].status == "under_maintenance"


def test_a_component_of_an_open_incident_is_not_checked(editor: Client, page: Page, running: Incident) -> None:
    (rest,) = running.affected_components()
    make_incident(page, components={rest: "under_maintenance"})
    form = form_to(shown(editor, running), step_url(running, "complete"))
    assert not form.all("input", name="complete-restore", checked="")
    assert form.all("input", name="complete-restore")


def test_a_canceled_maintenance_is_shown_as_canceled(editor: Client, maintenance: Incident) -> None:
    answer = take(editor, maintenance, "cancel", body="The parts did not arrive.")
    assert answer.status_code == 302
    maintenance.refresh_from_db()
    assert maintenance.cancelled_at
    assert maintenance.status == "completed"
    text = shown(editor, maintenance).text
    assert "Canceled" in text
    assert "The parts did not arrive." in text
    assert "Canceled" in parsed_page(editor.get("/console/p/acme/incidents?show=maintenance")).text


def test_a_running_one_is_cancelled_and_its_components_come_back(editor: Client, running: Incident) -> None:
    take(editor, running, "cancel")
    assert running.affected_components()[0].status == "operational"
    assert running.updates.newest_first()[0].body == "This maintenance was canceled before its end."


# Rescheduling


def test_rescheduling_publishes_the_old_and_the_new_times(editor: Client, page: Page, maintenance: Incident) -> None:
    make_subscriber(page)
    fields = fields_of(form_to(shown(editor, maintenance), step_url(maintenance, "reschedule")))
    assert fields["reschedule-scheduled_for"] == ["2026-10-24 02:00"]
    assert fields["reschedule-scheduled_until"] == ["2026-10-24 04:00"]
    answer = take(
        editor,
        maintenance,
        "reschedule",
        scheduled_for="2026-10-31 02:00",
        scheduled_until="3 h",
        body="Parts are late.",
    )
    assert answer.status_code == 302
    maintenance.refresh_from_db()
    start = datetime(2026, 10, 31, 1, 0, tzinfo=UTC)
    assert maintenance.window == (start, start + timedelta(hours=3))
    body = maintenance.updates.newest_first()[0].body
    assert "Oct 31, 2026, 02:00 – 05:00 CET (Oct 31, 2026, 01:00 – 04:00 UTC)" in body
    assert "Oct 24, 2026, 02:00 – 04:00 CEST" in body
    assert body.endswith("Parts are late.")
    assert maintenance.events.get(kind="maintenance.rescheduled").notify


@pytest.mark.parametrize(("typed", "hours"), [("3 h", 3), ("06:30", 4.5), ("2026-10-24 05:00", 3)])
def test_a_running_one_is_extended_from_its_start(editor: Client, running: Incident, typed: str, hours: float) -> None:
    assert take(editor, running, "reschedule", scheduled_until=typed).status_code == 302
    running.refresh_from_db()
    assert running.window == (START, START + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("typed", "field", "expected"),
    [
        ({"scheduled_for": "2026-10-24 05:00"}, "scheduled_until", "Enter an end time after the start time."),
        ({"scheduled_for": "2026-10-24 04:00"}, "scheduled_until", "Enter an end time after the start time."),
        ({"scheduled_for": "2026-10-20 02:00"}, "scheduled_for", "is in the past"),
        ({"scheduled_for": ""}, "scheduled_for", "Enter a start time."),
        ({}, "scheduled_for", "The times did not change."),
        ({"scheduled_until": "soon"}, "scheduled_until", "Use 2026-01-31 14:05"),
        ({"scheduled_until": "3 h", "body": "<script>x</script>"}, "body", "HTML like <script> is not allowed."),
    ],
)
def test_invalid_times_are_rejected_next_to_their_field(
    editor: Client, maintenance: Incident, typed: dict[str, str], field: str, expected: str
) -> None:
    answer = take(editor, maintenance, "reschedule", **typed)
    if answer.status_code == 422 and "submit the form again" in parsed_page(answer).text:
        answer = editor.post(
            step_url(maintenance, "reschedule"),
            fields_of(form_to(parsed_page(answer), step_url(maintenance, "reschedule"))),
        )
    assert answer.status_code == 422
    document = parsed_page(answer)
    (control,) = invalid_controls(document)
    assert control.attributes["name"] == f"reschedule-{field}"
    assert expected in document.text
    held = fields_of(form_to(document, step_url(maintenance, "reschedule")))
    assert all(held.get(f"reschedule-{name}", [""]) == [value] for name, value in typed.items())
    assert maintenance.updates.count() == 1


def test_rescheduling_into_an_overlap_shows_a_warning(editor: Client, page: Page, maintenance: Incident) -> None:
    make_maintenance(
        page, begins=START + timedelta(days=7), title="New disks", components=maintenance.affected_components()
    )
    answer = take(editor, maintenance, "reschedule", scheduled_for="2026-10-31 01:00", scheduled_until="2 h")
    document = parsed_page(answer)
    assert "“New disks”" in document.one("div", class_="warning").text
    assert maintenance.updates.count() == 1
    again = fields_of(form_to(document, step_url(maintenance, "reschedule")))
    assert editor.post(step_url(maintenance, "reschedule"), again).status_code == 302


# Options


def test_changing_options_does_not_notify_subscribers(editor: Client, page: Page, maintenance: Incident) -> None:
    website = make_component(page, "Website")
    notified_count = Event.objects.filter(notify=True).count()
    answer = take(
        editor,
        maintenance,
        "options",
        auto_start=None,
        reminders=["1440"],
        more_reminders="45",
        components=[website.public_id],
    )
    assert answer.status_code == 302
    maintenance.refresh_from_db()
    options = options_of(maintenance)
    assert (options.auto_start, sorted(options.reminders)) == (False, [45, 1440])
    assert maintenance.affected_components() == [website]
    assert Event.objects.filter(notify=True).count() == notified_count
    assert "Start manually, Oct 24, 2026 - 02:00 CEST" in shown(editor, maintenance).text


def test_invalid_options_are_rejected(editor: Client, maintenance: Incident) -> None:
    answer = take(editor, maintenance, "options", more_reminders="soon")
    assert answer.status_code == 422
    assert "Nothing was saved." in parsed_page(answer).text
    (control,) = invalid_controls(parsed_page(answer))
    assert (control.attributes["name"], control.attributes["value"]) == ("options-more_reminders", "soon")
    assert options_of(maintenance).reminders == (60,)


def test_once_it_runs_its_components_are_no_option(editor: Client, running: Incident) -> None:
    fields = fields_of(form_to(shown(editor, running), step_url(running, "options")))
    assert "options-components" not in fields
    assert take(editor, running, "options", auto_complete=None).status_code == 302
    running.refresh_from_db()
    assert not running.auto_complete


def test_an_overdue_step_is_marked(editor: Client, page: Page, clock: Any) -> None:
    maintenance = make_maintenance(page, begins=START, auto_start=False, auto_complete=False)
    clock.move_to(START + timedelta(minutes=10))
    assert "Start is overdue, Oct 24, 2026 - 02:00 CEST" in shown(editor, maintenance).text
    actions.start(maintenance, actor=ALICE)
    clock.move_to(END + timedelta(minutes=10))
    assert (
        "End is overdue: complete or extend the maintenance, Oct 24, 2026 - 04:00 CEST"
        in shown(editor, maintenance).text
    )


# Not for incidents, and not by way of them


@pytest.mark.parametrize("step", ["start", "complete", "reschedule", "options", "cancel"])
def test_an_incident_takes_none_of_these_steps(editor: Client, page: Page, step: str) -> None:
    assert editor.post(step_url(make_incident(page), step), {}).status_code == 404


@pytest.mark.parametrize("verb", ["resolve", "reopen"])
def test_a_maintenance_is_not_resolved_or_reopened(editor: Client, running: Incident, verb: str) -> None:
    answer = editor.post(f"{url_of(running)}/{verb}", {"body": "Done.", "version": str(running.version)})
    assert answer.status_code == 404
    running.refresh_from_db()
    assert running.status == "in_progress"


def test_one_of_a_series_says_so_and_leads_there(editor: Client, page: Page) -> None:
    series = make_series(page, starts_at=datetime(2026, 10, 25, 2))  # noqa: DTZ001 - a wall-clock time
    maintenance = series.occurrences.soonest_first()[0]
    links = [link.attributes["href"] for link in shown(editor, maintenance).all("a")]
    assert f"/console/p/acme/series/{series.public_id}" in links
