from collections.abc import Callable
from typing import Any

import pytest

from incidents.models import Event, IncidentUpdate, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from tests.factories import make_incident, make_subscriber


def test_progress_counts_the_deliveries_of_an_event_by_state(
    page: Page, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for _ in range(6):
        make_subscriber(page)
    make_incident(page)
    fan_out_waiting()
    event = Event.objects.get(kind="incident.opened")
    assert event.update is not None
    ids = list(Delivery.objects.values_list("pk", flat=True))
    Delivery.objects.mark_sent(ids[:3])
    Delivery.objects.filter(pk=ids[3]).update(state="failed")
    Delivery.objects.filter(pk=ids[4]).update(state="cancelled")
    make_incident(page)
    fan_out_waiting()
    with django_assert_num_queries(1):
        progress = Delivery.objects.progress(event)
    assert (progress.queued, progress.sent, progress.failed, progress.cancelled, progress.total) == (1, 3, 1, 1, 6)
    assert not progress.is_done
    with django_assert_num_queries(1):
        assert Delivery.objects.progress(event.update) == progress


@pytest.mark.django_db
def test_progress_of_what_nobody_was_told_is_zero(page: Page) -> None:
    make_incident(page, notify=False)
    progress = Delivery.objects.progress(IncidentUpdate.objects.get())
    assert progress.total == 0
    assert progress.is_done
