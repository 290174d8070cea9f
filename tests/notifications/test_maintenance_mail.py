"""What subscribers read about a maintenance: the right instant, in the page's zone and in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.core.exceptions import ValidationError
from time_machine import Traveller, travel

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.scheduled_steps import run_due
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident
from statuspage.dispatcher.loop import drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from tests.factories import ALICE, make_component, make_maintenance, make_page, make_subscriber, post
from tests.notifications.mailbox import mails_to, part
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 10, 24, 12, tzinfo=UTC)
BEGINS = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Traveller]:
    with travel(NOW, tick=False) as coordinates:
        yield coordinates


def scheduled(zone: str = "Europe/Berlin", **more: object) -> Incident:
    page = make_page(name="Acme", time_zone=zone)
    make_subscriber(page, "ada@example.com")
    fields = {"title": "Database upgrade", "begins": BEGINS, "hours": 1} | more
    return make_maintenance(page, **fields)  # type: ignore[arg-type]


def newest(sink: SmtpSink) -> EmailMessage:
    drain()
    return mails_to(sink, "ada@example.com")[-1]


def head(message: EmailMessage) -> list[str]:
    """The first lines of the plain text that are not empty."""
    return [line for line in part(message, "plain").splitlines() if line][:3]


@pytest.mark.parametrize(
    ("zone", "window"),
    [
        # The hour in which Berlin's clocks go back: it begins at 02:30 and ends at 02:30.
        ("Europe/Berlin", "Oct 25, 2026, 02:30 CEST – 02:30 CET (Oct 25, 2026, 00:30 – 01:30 UTC)"),
        ("Asia/Kathmandu", "Oct 25, 2026, 06:15 – 07:15 +0545 (Oct 25, 2026, 00:30 – 01:30 UTC)"),
        ("America/St_Johns", "Oct 24, 2026, 22:00 – 23:00 NDT (Oct 25, 2026, 00:30 – 01:30 UTC)"),
        ("Etc/UTC", "Oct 25, 2026, 00:30 – 01:30 UTC"),
    ],
)
def test_the_announcement_says_when_in_the_pages_zone_and_in_utc(zone: str, window: str, sink: SmtpSink) -> None:
    scheduled(zone)
    message = newest(sink)
    assert message["Subject"] == "[Acme] Scheduled: Database upgrade"
    assert head(message) == ["Maintenance scheduled", "Database upgrade", f"Scheduled for: {window}"]
    assert f"Scheduled for: {window}" in part(message, "html")


def test_the_components_are_named(sink: SmtpSink) -> None:
    page = make_page(name="Acme")
    make_subscriber(page, "ada@example.com")
    make_maintenance(page, components=[make_component(page, "API")])
    text = part(newest(sink), "plain")
    assert "This maintenance affects: API." in text
    assert "View the maintenance:" in text


def test_the_reminder_says_how_soon(sink: SmtpSink, clock: Traveller) -> None:
    scheduled(reminders=(60, 1440))
    clock.move_to(BEGINS - HOUR + timedelta(milliseconds=300))
    message = newest(sink)
    assert message["Subject"] == "[Acme] Begins in 60 minutes: Database upgrade"
    assert head(message)[0] == "Maintenance begins in 60 minutes"
    assert "We upgrade." in part(message, "plain")


def test_the_reminder_of_one_that_was_moved_has_the_new_time_and_says_what_it_is_about(
    sink: SmtpSink, clock: Traveller
) -> None:
    maintenance = scheduled()
    later = BEGINS + 24 * HOUR
    maintenance_lifecycle.reschedule(maintenance, scheduled_for=later, scheduled_until=later + HOUR, actor=ALICE)
    clock.move_to(later - HOUR)
    text = part(newest(sink), "plain")
    assert "Scheduled for: Oct 26, 2026, 01:30 – 02:30 CET" in text
    assert "We upgrade." in text


def test_a_reminder_that_comes_too_late_is_not_sent(sink: SmtpSink, clock: Traveller) -> None:
    maintenance = scheduled()
    drain()
    clock.move_to(BEGINS - HOUR)
    run_due(BEGINS - HOUR)
    fan_out_waiting()
    maintenance_lifecycle.cancel(Incident.objects.get(pk=maintenance.pk), UpdateInput(notify=False), actor=ALICE)
    drain()
    assert len(mails_to(sink, "ada@example.com")) == 1
    assert "no longer upcoming" in Delivery.objects.get(state="cancelled").last_error


def test_moving_it_states_old_and_new_times(sink: SmtpSink) -> None:
    maintenance = scheduled()
    maintenance_lifecycle.reschedule(
        maintenance, scheduled_for=BEGINS + 24 * HOUR, scheduled_until=BEGINS + 25 * HOUR, actor=ALICE
    )
    message = newest(sink)
    assert message["Subject"] == "[Acme] Rescheduled: Database upgrade"
    text = part(message, "plain")
    assert head(message)[2] == "Scheduled for: Oct 26, 2026, 01:30 – 02:30 CET (Oct 26, 2026, 00:30 – 01:30 UTC)"
    assert "Old time: Oct 25, 2026, 02:30 CEST – 02:30 CET (Oct 25, 2026, 00:30 – 01:30 UTC)\n" in text


def test_start_updates_and_end_are_told_as_its_switches_say(sink: SmtpSink, clock: Traveller) -> None:
    maintenance = scheduled(notify_end=False, reminders=())
    clock.move_to(BEGINS)
    message = newest(sink)
    assert (message["Subject"], head(message)[0]) == ("[Acme] In progress: Database upgrade", "Maintenance has begun")
    maintenance.refresh_from_db()
    post(maintenance, "in_progress", "Half done.")
    assert head(newest(sink))[0] == "An update has been posted"
    post(maintenance, "verifying", "Checking.")
    assert head(newest(sink))[0] == "Maintenance status: Verifying"
    maintenance_lifecycle.complete(maintenance, actor=ALICE)
    drain()
    assert len(mails_to(sink, "ada@example.com")) == 4


def test_its_end_and_its_cancellation_are_told(sink: SmtpSink, clock: Traveller) -> None:
    maintenance = scheduled()
    other = make_maintenance(maintenance.page, title="Network work")
    maintenance_lifecycle.cancel(other, UpdateInput(body="Not needed any more."), actor=ALICE)
    message = newest(sink)
    assert (message["Subject"], head(message)[0]) == ("[Acme] Cancelled: Network work", "Maintenance cancelled")
    clock.move_to(BEGINS + HOUR)
    message = newest(sink)
    assert (message["Subject"], head(message)[0]) == ("[Acme] Completed: Database upgrade", "Maintenance completed")


def test_a_hidden_one_is_told_to_nobody(sink: SmtpSink) -> None:
    maintenance = scheduled()
    incident_actions.hide(maintenance, actor=ALICE, reason="Wrong page")
    drain()
    assert mails_to(sink, "ada@example.com") == []


def test_nothing_is_told_of_what_was_refused(sink: SmtpSink) -> None:
    maintenance = scheduled()
    drain()
    with pytest.raises(ValidationError):
        maintenance_lifecycle.complete(maintenance, actor=ALICE)
    drain()
    assert len(mails_to(sink, "ada@example.com")) == 1
