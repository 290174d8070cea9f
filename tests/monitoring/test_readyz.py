"""What a monitor of Candor itself reads."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from statuspage.notifications.models import ChannelState, Delivery, Heartbeat, Installation, Mismatch
from statuspage.publishing.models import Publication
from statuspage.subscribers.models.database_time import from_now
from tests.factories import make_page, make_subscriber

pytestmark = pytest.mark.django_db


def read(status: int) -> Any:
    answer = Client().get("/readyz")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies
    return json.loads(answer.content)


def test_a_candor_with_a_living_dispatcher_is_ready() -> None:
    Heartbeat.objects.beat("dispatcher")
    payload = read(200)
    assert payload["ready"] is True
    assert payload["checks"]["database"] == {"ok": True}
    assert 0 <= payload["checks"]["dispatcher"]["seconds_since_heartbeat"] < 10
    assert payload["checks"]["worker"] == {"ok": False, "seconds_since_heartbeat": None, "needed": False}


def test_a_dispatcher_that_was_never_heard_of_is_not_shown_as_well() -> None:
    payload = read(503)
    assert payload["ready"] is False
    assert payload["checks"]["dispatcher"] == {"ok": False, "seconds_since_heartbeat": None}


def test_a_dispatcher_that_is_silent_for_more_than_ninety_seconds_is_not_ready() -> None:
    Heartbeat.objects.beat("dispatcher")
    Heartbeat.objects.update(at=from_now(-timedelta(seconds=80)))
    read(200)
    Heartbeat.objects.update(at=from_now(-timedelta(seconds=95)))
    payload = read(503)
    assert 95 <= payload["checks"]["dispatcher"]["seconds_since_heartbeat"] < 105


def test_the_youngest_of_several_dispatchers_counts() -> None:
    Heartbeat.objects.create(process="dispatcher", instance="elsewhere:1", at=from_now(-timedelta(hours=1)))
    Heartbeat.objects.beat("dispatcher")
    read(200)


def test_silent_workers_are_shown_and_do_not_make_it_unready(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    Heartbeat.objects.beat("dispatcher")
    payload = read(200)
    assert payload["checks"]["worker"] == {"ok": False, "seconds_since_heartbeat": None, "needed": True}


def test_a_channel_in_trouble_is_shown_without_the_words_of_the_other_side() -> None:
    Heartbeat.objects.beat("dispatcher")
    ChannelState.objects.pause("email", "535 mail.example.com does not know candor@example.com")
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert b"example.com" not in answer.content
    channel = json.loads(answer.content)["checks"]["channels"]["email"]
    assert channel["ok"] is False
    assert channel["trouble_since"]
    ChannelState.objects.recovered("email")
    assert read(200)["checks"]["channels"] == {"email": {"ok": True, "trouble_since": None}}


def test_it_costs_a_fixed_number_of_queries(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    for number in range(20):
        Heartbeat.objects.create(process="worker", instance=f"host:{number}", at=from_now(timedelta(0)))
    with django_assert_max_num_queries(10):
        Client().get("/readyz")


def test_only_reading_is_allowed() -> None:
    assert Client().post("/readyz").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_be_used_is_said_in_so_many_words() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notifications_heartbeat RENAME TO away")
    try:
        assert read(503) == {
            "ready": False,
            "reasons": ["The database does not respond."],
            "checks": {"database": {"ok": False}},
        }
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE away RENAME TO notifications_heartbeat")


def reasons() -> str:
    return " ".join(read(503)["reasons"])


def test_a_page_that_is_not_published_is_a_reason() -> None:
    Heartbeat.objects.beat("dispatcher")
    page = make_page()
    assert "“Acme” has not been published yet." in reasons()
    Publication.objects.succeeded(page, files=1)
    assert read(200)["reasons"] == []
    Publication.objects.update(published_at=from_now(-timedelta(minutes=4)))
    assert "“Acme” has not been published for three minutes." in reasons()
    Publication.objects.succeeded(page, files=1)
    Publication.objects.failed(page, "No space left on device")
    assert "“Acme” cannot be published." in reasons()


def test_a_clock_that_is_off_and_waiting_mail_are_reasons(settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    Heartbeat.objects.beat("dispatcher")
    page = make_page()
    Publication.objects.succeeded(page, files=1)
    Heartbeat.objects.update(clock_offset=-3600.0)
    assert "3,600 seconds behind the database's clock" in reasons()
    Heartbeat.objects.update(clock_offset=4.0)
    read(200)
    Delivery.objects.create(
        kind="confirmation",
        subscriber=make_subscriber(page),
        channel="email",
        priority=1,
        next_attempt_at=from_now(-timedelta(minutes=5)),
    )
    assert "1 email has been waiting since" in reasons()


def test_a_restore_is_a_reason() -> None:
    Heartbeat.objects.beat("dispatcher")
    Installation.objects.current()
    Installation.objects.report(Mismatch.RESTORED)
    assert "a backup was restored" in reasons()


def test_the_process_is_alive_without_a_database() -> None:
    assert Client().get("/livez").content == b"ok\n"
