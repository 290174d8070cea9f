"""Old data that nothing needs is removed; what the console shows of it stays true, and nothing is sent again."""

import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from incidents.models import AuditEntry, Event, Incident, Page, StatusInterval
from statuspage.accounts.models import Role
from statuspage.notifications.fan_out import fan_out, fan_out_waiting
from statuspage.notifications.models import Bounce, BounceKind, Delivery, DeliveryState, DeliveryTotal, StaffNotice
from statuspage.publishing.models import Publication
from statuspage.retention import pruning
from statuspage.retention.models import CacheRow, Pruning
from statuspage.retention.pruning import prune
from statuspage.retention.rules import rules
from tests.console.staff import parsed_page, signed_in
from tests.factories import make_component, make_incident, make_page, make_subscriber, make_user, post

pytestmark = pytest.mark.django_db

YEARS_AGO = timedelta(days=800)


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def incident(page: Page, settings: Settings, tmp_path: Path) -> Incident:
    """An incident whose three notifications were sent long ago."""
    settings.MAIL_DIR = tmp_path
    for number in range(3):
        make_subscriber(page, f"reader{number}@example.com")
    incident = make_incident(page)
    fan_out_waiting()
    Delivery.objects.update(state=DeliveryState.SENT, sent_at=timezone.now())
    grow_old()
    return incident


def grow_old(age: timedelta = YEARS_AGO) -> None:
    at = timezone.now() - age
    Delivery.objects.update(created_at=at)
    Event.objects.update(created_at=at)
    Event.objects.exclude(fanned_out_at=None).update(fanned_out_at=at)


def announcement(incident: Incident) -> Event:
    return incident.events.get(notify=True)


def deliveries_page(incident: Incident) -> str:
    return parsed_page(signed_in(Role.EDITOR).get(f"/console/p/acme/incidents/{incident.public_id}/deliveries")).text


def test_the_counts_of_an_update_stay_after_its_deliveries_were_removed(incident: Incident) -> None:
    before = Delivery.objects.progress(announcement(incident))
    assert prune()
    after = Delivery.objects.progress(announcement(incident))
    assert Delivery.objects.count() == 0
    assert (before.sent, before.total, before.removed) == (3, 3, 0)
    assert (after.sent, after.total, after.removed) == (3, 3, 3)
    assert Delivery.objects.progress(incident.updates.get()) == after
    text = deliveries_page(incident)
    assert "3 of 3 done" in text
    assert "Details of 3 deliveries were removed because of their age." in text


def test_removed_failed_deliveries_are_not_offered_for_a_retry(incident: Incident) -> None:
    Delivery.objects.update(state=DeliveryState.FAILED)
    assert "Retry all 3 failed deliveries" in deliveries_page(incident)
    prune()
    text = deliveries_page(incident)
    assert "3 failed" in text
    assert "Retry" not in text


def test_an_event_whose_deliveries_were_removed_is_never_fanned_out_again(incident: Incident) -> None:
    prune()
    make_subscriber(incident.page, confirmed_at=timezone.now() - 2 * YEARS_AGO)
    assert fan_out_waiting() == 0
    assert fan_out(announcement(incident).pk) == 0
    assert Delivery.objects.count() == 0


def test_a_later_update_reaches_everybody_and_adds_to_the_counts(incident: Incident) -> None:
    prune()
    post(incident)
    fan_out_waiting()
    newest = incident.events.filter(notify=True).order_by("-pk")[0]
    assert Delivery.objects.progress(newest).queued == 3


@pytest.mark.parametrize("unfinished", ["queued", "partly fanned out"])
def test_deliveries_that_are_still_needed_stay(incident: Incident, unfinished: str) -> None:
    if unfinished == "queued":
        Delivery.objects.update(state=DeliveryState.QUEUED)
    else:
        Event.objects.update(fanned_out_at=None)
    prune()
    assert Delivery.objects.count() == 3
    assert DeliveryTotal.objects.count() == 0


def test_a_bounce_outlives_its_delivery(incident: Incident) -> None:
    delivery = Delivery.objects.first()
    assert delivery
    Bounce.objects.create(subscriber=delivery.subscriber, delivery=delivery, kind=BounceKind.SOFT)
    prune()
    assert Bounce.objects.get().delivery is None


def test_many_batches_count_each_delivery_once(incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "BATCH", 1)
    monkeypatch.setattr(pruning, "PAUSE", 0)
    prune()
    assert Delivery.objects.progress(announcement(incident)).sent == 3
    assert Pruning.objects.get(rule="deliveries").removed == 3


def test_a_run_that_was_stopped_goes_on_with_the_next(incident: Incident) -> None:
    assert prune(budget=0) is False
    assert Delivery.objects.count() == 3
    assert not Pruning.objects.get(rule="deliveries").is_complete
    stop = threading.Event()
    stop.set()
    assert prune(stop) is False
    assert prune(budget=60)
    record = Pruning.objects.get(rule="deliveries")
    assert (record.removed, record.removed_in_total, record.remaining, record.is_complete) == (3, 3, 0, True)


def test_zero_days_keep_everything(incident: Incident, settings: Settings) -> None:
    for rule in rules():
        if rule.setting:
            setattr(settings, rule.setting, 0)
    prune()
    assert Delivery.objects.count() == 3


def component_changes(page: Page) -> None:
    """Two events that notify nobody; the last event of a page always stays."""
    component = make_component(page)
    make_component(page, "Web app")
    fan_out_waiting()
    grow_old()
    assert component.page == page


def test_old_events_go_once_they_are_published_and_the_newest_stays(page: Page) -> None:
    component_changes(page)
    number, newest = Event.objects.count(), Event.objects.newest_of(page)
    prune()
    assert Event.objects.count() == number
    Publication.objects.succeeded(page, files=1)
    prune()
    assert [event.pk for event in Event.objects.all()] == [newest]


@pytest.mark.parametrize("age", [timedelta(days=2), YEARS_AGO])
def test_events_stay_while_one_target_is_behind(page: Page, age: timedelta) -> None:
    component_changes(page)
    number = Event.objects.count()
    Publication.objects.succeeded(page, files=1)
    Publication.objects.succeeded(page, target="s3://bucket", files=1)
    Publication.objects.filter(target="s3://bucket").update(published_at=timezone.now() - age)
    prune()
    assert Event.objects.count() == number


def test_an_event_that_waits_for_fan_out_stays_and_so_do_announcements(incident: Incident) -> None:
    Publication.objects.succeeded(incident.page, files=1)
    make_component(incident.page)
    Event.objects.update(created_at=timezone.now() - YEARS_AGO)
    waiting = Event.objects.get(fanned_out_at=None)
    prune()
    prune()
    assert {announcement(incident).pk, waiting.pk} <= set(Event.objects.values_list("pk", flat=True))


def test_the_record_is_kept(incident: Incident) -> None:
    counts = [AuditEntry.objects.count(), StatusInterval.objects.count(), incident.updates.count()]
    AuditEntry.objects.update(created_at=timezone.now() - 10 * YEARS_AGO)
    prune()
    assert counts == [AuditEntry.objects.count(), StatusInterval.objects.count(), incident.updates.count()]


def test_old_email_files_are_removed_and_new_ones_stay(settings: Settings, tmp_path: Path) -> None:
    settings.MAIL_DIR = tmp_path
    old, new = (f"{at:%Y%m%dT%H%M%S.%f}-01234567.eml" for at in (datetime(2020, 1, 1, tzinfo=UTC), timezone.now()))
    for name in (old, new, "note.txt"):
        (tmp_path / name).touch()
    prune()
    assert sorted(path.name for path in tmp_path.iterdir()) == [new, "note.txt"]


def test_expired_sessions_and_cache_rows_go_and_valid_ones_stay() -> None:
    valid, expired = signed_in(Role.VIEWER), signed_in(Role.EDITOR)
    session = expired.session
    session.set_expiry(timezone.now() - timedelta(hours=1))
    session.save()
    cache.set("valid", 1)
    cache.set("expired", 1)
    CacheRow.objects.filter(cache_key__contains="expired").update(expires=timezone.now() - timedelta(minutes=1))
    prune()
    assert valid.session.exists(valid.session.session_key or "")
    assert Pruning.objects.get(rule="sessions").removed == 1
    assert [row.cache_key for row in CacheRow.objects.all()] == [cache.make_key("valid")]


def test_a_staff_notice_of_an_open_incident_stays_so_that_it_is_not_sent_again(incident: Incident) -> None:
    update = incident.updates.get()
    StaffNotice.objects.remind_after(update, "overdue_update", people=[make_user()])
    Delivery.objects.filter(notice__isnull=False).update(state=DeliveryState.SENT)
    grow_old()
    StaffNotice.objects.update(created_at=timezone.now() - YEARS_AGO)
    prune()
    assert StaffNotice.objects.count() == 1
    Incident.objects.update(resolved_at=timezone.now())
    prune()
    assert StaffNotice.objects.count() == 0


def test_a_dry_run_prints_the_numbers_and_removes_nothing(incident: Incident) -> None:
    printed = StringIO()
    call_command("prune", "--dry-run", stdout=printed)
    assert "Sent, failed and canceled deliveries (kept 180 days): 3 to remove" in printed.getvalue()
    assert Delivery.objects.count() == 3
    printed = StringIO()
    call_command("prune", stdout=printed)
    assert "Sent, failed and canceled deliveries (kept 180 days): 3 removed" in printed.getvalue()


def test_the_page_shows_what_is_kept_and_what_was_removed_in_few_queries(incident: Incident) -> None:
    viewer = signed_in(Role.VIEWER)
    assert "never" in parsed_page(viewer.get("/console/p/acme/retention")).text
    prune()
    with CaptureQueriesContext(connection) as queries:
        document = parsed_page(viewer.get("/console/p/acme/retention"))
    row = next(row.text for row in document.all("tr") if "deliveries" in row.text)
    assert row.startswith("Sent, failed and canceled deliveries 180 days KEEP_DELIVERIES_DAYS 0 3 3")
    assert len(queries) <= 8
