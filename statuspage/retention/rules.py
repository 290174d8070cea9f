"""What is removed, and when. Rows that no rule mentions are kept, among them the audit log and the status history."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from incidents.models import Draft, Event
from incidents.models.drafts import UNFINISHED_RETENTION
from statuspage.accounts import ratelimit
from statuspage.notifications.models import Delivery, Heartbeat, MailTest, StaffNotice
from statuspage.notifications.models.heartbeats import HEARTBEAT_RETENTION
from statuspage.notifications.models.mail_tests import MAIL_TEST_RETENTION
from statuspage.notifications.retention import expired_deliveries, remove_deliveries
from statuspage.publishing.models import Publication
from statuspage.retention.models import CacheRow
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.database_time import from_now
from statuspage.subscribers.models.subscribers import UNCONFIRMED_RETENTION

Expired = QuerySet[Any] | list[Path]


@transaction.atomic
def delete_rows(expired: Any, limit: int) -> int:
    """Delete up to `limit` rows with the rows that refer to them. Rows that someone is changing are skipped."""
    rows = expired.order_by("pk").select_for_update(skip_locked=True, of=("self",))
    ids = list(rows.values_list("pk", flat=True)[:limit])
    expired.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)


@dataclass(frozen=True)
class Rule:
    """`rows` returns all rows or files, `expired` those to remove, and `remove` deletes a batch of them and returns its
    size. `duration` is how long rows are kept, as a text, and `setting` the variable that changes it."""

    name: str
    label: str
    rows: Callable[[], Expired]
    expired: Callable[[], Expired] = list
    remove: Callable[[Any, int], int] = delete_rows
    duration: str = ""
    setting: str = ""


def size(rows: Expired) -> int:
    return len(rows) if isinstance(rows, list) else rows.count()


def _expired_events(age: timedelta) -> QuerySet[Event]:
    """Return old events that nothing needs: published, fanned out, not referenced, and not the page's newest.

    Events about an incident that subscribers were notified of stay, because the incident's pages show them.
    """
    published = Publication.objects.filter(page=OuterRef("page"))
    late = published.filter(Q(published_at__isnull=True) | Q(published_at__lt=from_now(-timedelta(days=1))))
    newest = Event.objects.filter(page=OuterRef("page")).order_by("-pk").values("pk")[:1]
    rows = Event.objects.filter(
        Q(notify=False) | Q(incident__isnull=True, update__isnull=True, postmortem__isnull=True),
        Exists(published),
        ~Exists(late),
        fanned_out_at__isnull=False,
        created_at__lt=from_now(-age),
        pk__lt=Subquery(newest),
    )
    for relation in Event._meta.related_objects:
        # _base_manager: a manager may hide rows that refer to the event nevertheless.
        rows = rows.filter(
            ~Exists(relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")}))
        )
    return rows


def _expired_notices(age: timedelta) -> QuerySet[StaffNotice]:
    """Return old notices that cannot be sent again: weekly ones, and those of resolved incidents."""
    is_over = Q(incident__isnull=True) | Q(incident__resolved_at__isnull=False)
    has_deliveries = Delivery.objects.filter(notice=OuterRef("pk"))
    return StaffNotice.objects.filter(is_over, ~Exists(has_deliveries), created_at__lt=from_now(-age))


def _email_files() -> list[Path]:
    """Return all email files, oldest first. Their names begin with the time."""
    return sorted(Path(settings.MAIL_DIR).glob("*.eml"))


def _expired_email_files(age: timedelta) -> list[Path]:
    limit = (datetime.now(UTC) - age).strftime("%Y%m%dT%H%M%S")
    return [path for path in _email_files() if path.name < limit]


def _remove_files(expired: list[Path], limit: int) -> int:
    batch, expired[:limit] = expired[:limit], []
    for path in batch:
        path.unlink(missing_ok=True)
    return len(batch)


def rules() -> list[Rule]:
    """Return the rules in the order of the console page."""
    return [*_configured_rules(), *_fixed_rules()]


def _configured_rules() -> list[Rule]:
    return [
        _configured(
            "KEEP_DELIVERIES_DAYS",
            Rule("deliveries", "Sent, failed and canceled deliveries", Delivery.objects.all, remove=remove_deliveries),
            expired_deliveries,
        ),
        _configured(
            "KEEP_EVENTS_DAYS", Rule("events", "Events that nothing refers to", Event.objects.all), _expired_events
        ),
        _configured(
            "KEEP_EMAIL_FILES_DAYS",
            Rule("email_files", "Email files (without a mail server)", _email_files, remove=_remove_files),
            _expired_email_files,
        ),
        _configured(
            "KEEP_STAFF_NOTICES_DAYS", Rule("staff_notices", "Staff notices", StaffNotice.objects.all), _expired_notices
        ),
    ]


def _configured(setting: str, rule: Rule, expired: Callable[[timedelta], Expired]) -> Rule:
    """Return `rule` with the number of days of `setting`. With 0, nothing expires."""
    days: int = getattr(settings, setting)
    if not days:
        return replace(rule, duration="no limit", setting=setting)
    return replace(rule, duration=f"{days} days", setting=setting, expired=lambda: expired(timedelta(days=days)))


def _fixed_rules() -> list[Rule]:
    sessions = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class().objects
    responses = apps.get_model("api", "IdempotentResponse").objects
    rows = [
        ("subscribers", "Unconfirmed subscribers", UNCONFIRMED_RETENTION, Subscriber.objects.expired),
        ("drafts", "Unfinished drafts", UNFINISHED_RETENTION, Draft.objects.expired),
        ("mail_tests", "Test emails", MAIL_TEST_RETENTION, MailTest.objects.expired),
        ("rate_limits", "Counts of rate limits", timedelta(seconds=ratelimit.RETENTION_SECONDS), ratelimit.expired),
        ("idempotency_keys", "Responses to idempotency keys", responses.model.KEPT, responses.expired),
        ("heartbeats", "Heartbeats", HEARTBEAT_RETENTION, Heartbeat.objects.expired),
        ("sessions", "Sessions", None, lambda: sessions.filter(expire_date__lt=timezone.now())),
        ("cache", "Cached values", None, lambda: CacheRow.objects.filter(expires__lt=timezone.now())),
    ]
    return [
        Rule(name, label, _all_of(expired), duration=_text(age), expired=expired) for name, label, age, expired in rows
    ]


def _all_of(expired: Callable[[], QuerySet[Any]]) -> Callable[[], Expired]:
    return lambda: expired().model._base_manager.all()


def _text(age: timedelta | None) -> str:
    if age is None:
        return "until they expire"
    return "1 day" if age.days == 1 else f"{age.days} days"
