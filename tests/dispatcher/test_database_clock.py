"""The clock of the database decides what is due, not that of the dispatcher's machine."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from time_machine import travel

from incidents import clock
from incidents.models import Incident, Page
from statuspage.dispatcher.loop import Dispatcher
from statuspage.notifications.heartbeat_thread import HeartbeatThread
from statuspage.notifications.models import Heartbeat
from tests.factories import make_maintenance

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _travels_without_the_database() -> None:
    """Override the fixture of all other tests: here the database's clock decides."""


def status_after_a_tick(maintenance: Incident, shift: timedelta) -> str:
    with travel(timezone.now() + shift):
        Dispatcher().tick()
    maintenance.refresh_from_db()
    return maintenance.status


def planned(page: Page, start: timedelta) -> Incident:
    return make_maintenance(page, begins=timezone.now() + start)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_wrong_clock_of_the_dispatcher_changes_nothing(page: Page, hours: int) -> None:
    if connection.vendor != "postgresql":
        return  # the clock of SQLite is the machine's
    maintenance = planned(page, timedelta(minutes=20))
    assert status_after_a_tick(maintenance, timedelta(hours=hours)) == "scheduled"
    due = planned(page, timedelta(minutes=1))
    Incident.objects.filter(pk=due.pk).update(scheduled_for=timezone.now() - timedelta(minutes=1))
    assert status_after_a_tick(due, timedelta(hours=hours)) == "in_progress"


@pytest.mark.parametrize("hours", [1, -1])
def test_how_far_the_clock_is_off_is_measured(hours: int) -> None:
    with travel(timezone.now() + timedelta(hours=hours)):
        off = clock.synchronize()
        elsewhere = clock.now() - timezone.now()
    expected = timedelta(hours=hours) if connection.vendor == "postgresql" else timedelta(0)
    assert abs(off - expected) < timedelta(seconds=2)
    assert abs(elsewhere + expected) < timedelta(seconds=2)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("hours", [1, -1])
def test_the_heartbeats_of_the_app_synchronize_its_clock(hours: int) -> None:
    true_time = timezone.now()
    thread = HeartbeatThread("app")
    with travel(true_time + timedelta(hours=hours)):
        thread.start_and_wait()
        thread.stop()
        at = clock.now()
    row = Heartbeat.objects.get(process="app")
    if connection.vendor == "postgresql":
        assert abs(at - true_time) < timedelta(minutes=1)
        assert abs(timedelta(seconds=row.clock_offset) - timedelta(hours=hours)) < timedelta(minutes=1)
    else:
        assert row.clock_offset == 0


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_app_starts_with_the_clock_of_its_machine() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_heartbeat RENAME TO away")
    try:
        thread = HeartbeatThread("app")
        thread.start_and_wait()
        thread.stop()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO notifications_heartbeat")
    assert not Heartbeat.objects.exists()
