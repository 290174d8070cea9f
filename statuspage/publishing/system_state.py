"""What system notices are made from, read with one query: they are on every page of the console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    FloatField,
    Min,
    OuterRef,
    QuerySet,
    Value,
    When,
)

from incidents.models import Page
from statuspage.notifications.models import ChannelState, Delivery, Heartbeat, Installation
from statuspage.publishing.models import FOLDER, Publication

# So many emails, pages and targets are read at most.
MAX_EMAILS, MAX_ROWS = 1_000, 5
COLUMNS = ("row_source", "row_name", "row_detail", "row_text", "row_number", "row_at")


@dataclass(frozen=True)
class Row:
    """What the columns mean depends on the source: see the functions below."""

    name: str
    detail: str
    text: str
    number: float
    at: datetime | None


def read_state(page: Page | None, *, heartbeat: timedelta, waiting: timedelta) -> Mapping[str, list[Row]]:
    """Return rows by source, with those about publishing for `page` or all pages.

    `heartbeat`: how old the heartbeat of a running process is at most. `waiting`: since when waiting emails are due.
    """
    pages = Page.objects.filter(pk=page.pk) if page else Page.objects.all()
    sources = (
        _heartbeats(heartbeat),
        _installation(),
        _channels(),
        _unpublished(pages),
        _targets(pages),
        _emails(waiting),
    )
    rows: dict[str, list[Row]] = {}
    for source, *values in sorted(sources[0].union(*sources[1:], all=True), key=itemgetter(0, 1, 2)):
        rows.setdefault(source, []).append(Row(*values))
    return rows


def _columns(source: str, rows: QuerySet[Any], **columns: Any) -> QuerySet[Any, Any]:
    """Return all columns for each of `rows`; aggregates apply to all rows together."""
    empty = {"row_name": Value(""), "row_detail": Value(""), "row_text": Value("")}
    empty |= {"row_number": Value(0.0, FloatField()), "row_at": Value(None, DateTimeField())}
    values = {"row_source": Value(source)} | empty | columns
    aggregates = {name: value for name, value in values.items() if getattr(value, "contains_aggregate", False)}
    plain = {name: value for name, value in values.items() if name not in aggregates}
    columns_only: QuerySet[Any, Any] = rows.order_by().values(**plain).annotate(**aggregates).values_list(*COLUMNS)
    return columns_only


def _heartbeats(within: timedelta) -> QuerySet[Any, Any]:
    """Kind of process, instance and clock offset of the running processes."""
    columns = {
        "row_name": F("process"),
        "row_detail": F("instance"),
        "row_number": F("clock_offset"),
        "row_at": F("at"),
    }
    return _columns("heartbeat", Heartbeat.objects.recorded(within=within), **columns)


def _installation() -> QuerySet[Any, Any]:
    """The mismatch of the installation, and 1 if an operator decided to keep the published files."""
    is_kept = Case(When(is_published_kept=True, then=1.0), default=0.0, output_field=FloatField())
    mismatched = Installation.objects.filter(pk=1).exclude(mismatch="")
    return _columns("installation", mismatched, row_name=F("mismatch"), row_number=is_kept, row_at=F("since"))


def _channels() -> QuerySet[Any, Any]:
    """Name and last error of the channels that are paused, and since when."""
    columns = {"row_name": F("channel"), "row_text": F("last_error"), "row_at": F("since")}
    return _columns("channel", ChannelState.objects.in_trouble(), **columns)


def _unpublished(pages: QuerySet[Page]) -> QuerySet[Any, Any]:
    """The names of pages without a current folder on any machine, and 1 if a page was never published."""
    folders = Publication.objects.filter(page=OuterRef("pk"), target=FOLDER, published_at__isnull=False)
    never = Case(When(Exists(folders), then=0.0), default=1.0, output_field=FloatField())
    stale = Publication.objects.pages_without_current_folder().order_by("pk").values("pk")[:MAX_ROWS]
    return _columns("unpublished", pages.filter(pk__in=stale), row_name=F("name"), row_number=never)


def _targets(pages: QuerySet[Page]) -> QuerySet[Any, Any]:
    """Page, target and last error of the targets that fail or are late, and since when they fail: empty if late."""
    troubled = Publication.objects.filter(page__in=pages).failing_or_late_copies().order_by("pk").values("pk")
    columns = {"row_name": F("page__name"), "row_detail": F("target"), "row_text": F("error")}
    rows = Publication.objects.filter(pk__in=troubled[:MAX_ROWS])
    return _columns("target", rows, **columns, row_at=F("failing_since"))


def _emails(since: timedelta) -> QuerySet[Any, Any]:
    """The number of waiting emails, and since when the oldest is due. One row."""
    first = Delivery.objects.emails_waiting(since).order_by("priority", "next_attempt_at").values("pk")[:MAX_EMAILS]
    count = Count("pk", output_field=FloatField())
    return _columns("emails", Delivery.objects.filter(pk__in=first), row_number=count, row_at=Min("next_attempt_at"))
