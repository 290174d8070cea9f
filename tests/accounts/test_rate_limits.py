import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from statuspage.accounts import ratelimit
from statuspage.accounts.models import RateCount

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_as_many_as_the_limit_are_allowed_and_no_more() -> None:
    assert [ratelimit.allow("key", 3, 3600) for _ in range(5)] == [True, True, True, False, False]


@pytest.mark.django_db
def test_keys_do_not_count_for_each_other() -> None:
    assert ratelimit.allow("one", 1, 3600)
    assert ratelimit.allow("two", 1, 3600)
    assert not ratelimit.allow("one", 1, 3600)


@pytest.mark.django_db
def test_the_next_window_starts_again() -> None:
    with time_machine.travel(NOON + timedelta(minutes=59), tick=False):
        assert ratelimit.allow("key", 1, 3600)
        assert not ratelimit.allow("key", 1, 3600)
        assert ratelimit.retry_after(3600) == 60
    with time_machine.travel(NOON + timedelta(minutes=60), tick=False):
        assert ratelimit.allow("key", 1, 3600)


@pytest.mark.django_db
def test_a_limit_of_zero_allows_nothing() -> None:
    assert not ratelimit.allow("key", 0, 3600)


@pytest.mark.django_db
def test_expired_windows_are_deleted() -> None:
    with time_machine.travel(NOON, tick=False):
        ratelimit.allow("old", 1, 3600)
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        ratelimit.allow("new", 1, 3600)
    with time_machine.travel(NOON + timedelta(days=2, hours=1), tick=False):
        ratelimit.expired().delete()
    assert RateCount.objects.get().key == "new"


@pytest.mark.django_db(transaction=True)
def test_users_at_the_same_time_are_all_counted() -> None:
    allowed: list[bool] = []
    start = threading.Barrier(8)

    def use() -> None:
        start.wait()
        allowed.extend(ratelimit.allow("key", 50, 3600) for _ in range(10))
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(allowed) == 50
    assert RateCount.objects.get().count == 80
