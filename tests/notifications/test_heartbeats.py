from datetime import timedelta

import pytest

from statuspage.notifications.models import Heartbeat
from statuspage.subscribers.models.database_time import from_now

pytestmark = pytest.mark.django_db


def test_a_process_that_beats_is_alive() -> None:
    Heartbeat.objects.beat("dispatcher")
    Heartbeat.objects.beat("dispatcher")
    assert Heartbeat.objects.count() == 1
    assert Heartbeat.objects.is_alive("dispatcher")
    assert not Heartbeat.objects.is_alive("worker")


def test_a_process_that_stopped_beating_is_not() -> None:
    Heartbeat.objects.beat("dispatcher")
    Heartbeat.objects.update(at=from_now(-timedelta(seconds=91)))
    assert not Heartbeat.objects.is_alive("dispatcher")
    assert Heartbeat.objects.last_of("dispatcher") is not None


def test_a_heartbeat_after_an_interruption_counts_again() -> None:
    Heartbeat.objects.beat("dispatcher")
    Heartbeat.objects.update(at=from_now(-timedelta(hours=1)))
    Heartbeat.objects.beat("dispatcher")
    assert Heartbeat.objects.is_alive("dispatcher")


def test_old_processes_are_deleted() -> None:
    Heartbeat.objects.beat("dispatcher")
    Heartbeat.objects.update(at=from_now(-timedelta(days=1, seconds=1)))
    Heartbeat.objects.beat("worker")
    Heartbeat.objects.expired().delete()
    assert [beat.process for beat in Heartbeat.objects.all()] == ["worker"]
