"""The clock of the database decides what is due, not that of the dispatcher's machine."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from time_machine import travel

from incidents import clock
from incidents.models import Incident, Page
from statuspage.dispatcher.loop import Dispatcher
from tests.factories import make_maintenance

pytestmark = pytest.mark.django_db


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
