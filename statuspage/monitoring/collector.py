"""Collects the metrics. Each function yields the metrics of one source; docs/monitoring.md lists them all."""

from __future__ import annotations

import platform
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import product

import django
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import connection
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector as PrometheusCollector

from incidents.models import Component, Incident, Page
from incidents.models.states import ComponentStatus, Impact, Kind
from statuspage.frontdoor.request_counts import read_counts
from statuspage.notifications.models import ChannelState, Heartbeat
from statuspage.notifications.readiness import STALE_SECONDS
from statuspage.notifications.waiting import waiting_by_channel
from statuspage.notifications.write_probe import can_write
from statuspage.publishing.models import Publication
from statuspage.publishing.system_notices import CODES, system_notices
from statuspage.subscribers.models import Channel

# Pages and components beyond these numbers are left out.
MAX_PAGES = 1_000
MAX_COMPONENTS = 5_000

Row = tuple[Iterable[str], float]


class Collector(PrometheusCollector):
    """Collects everything anew. Without a database, only what is known without it, and `candor_database_up` is 0."""

    def collect(self) -> Iterator[Metric]:
        yield from _build()
        yield from _front_door()
        is_up = True
        for source in (_pages, _deliveries, _publications, _processes, _notices):
            try:
                yield from list(source())
            except DatabaseTrouble:
                is_up = False
                break
        yield _gauge("candor_database_up", "Whether the database answers queries.", [], [((), is_up)])
        is_writable = is_up and can_write()
        yield _gauge("candor_database_writable", "Whether the database accepts a write.", [], [((), is_writable)])


def _gauge(name: str, description: str, labels: Iterable[str], rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(name, description, labels=list(labels))
    for values, number in rows:
        family.add_metric(list(values), float(number))
    return family


@cache
def _version() -> str:
    try:
        project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    except (OSError, KeyError, ValueError):
        return "unknown"
    return str(project["version"])


def _build() -> Iterator[Metric]:
    build = {"version": _version(), "python": platform.python_version(), "django": django.get_version()}
    yield InfoMetricFamily("candor_build", "The running version.", build | {"database": connection.vendor})


def _front_door() -> Iterator[Metric]:
    """The counts of the front-door processes of this machine, which they write every 5 seconds."""
    requests = CounterMetricFamily(
        "candor_frontdoor_requests", "Requests by how the front door handled them.", labels=["pid", "result"]
    )
    started = []
    for pid, counts in read_counts(settings.RUN_DIR).items():
        results = {"published": counts.published, "forwarded": counts.forwarded}
        for result, number in (results | {"refused": counts.refused, "error": counts.errors}).items():
            requests.add_metric([str(pid), result], number)
        started.append(((str(pid),), counts.started))
    yield requests
    yield _gauge("candor_frontdoor_start_time_seconds", "When the process started, in Unix time.", ["pid"], started)


def _pages() -> Iterator[Metric]:
    """The state of what visitors read: components, incidents and maintenances."""
    pages = Page.objects.first_ids(MAX_PAGES)
    components = Component.objects.active().filter(page__in=pages)
    yield _by_page(
        "candor_components",
        "Components by their status, including those that visitors do not see.",
        "status",
        pages.values(),
        ComponentStatus.values,
        components.count_by_status(),
    )
    yield _gauge(
        "candor_component_status",
        "The status of each component: 1 for the label of the current status.",
        ["page", "component", "name", "status"],
        (
            ((pages[row.page_id], row.public_id, row.full_name, row.status), 1)
            for row in components.worst_first()[:MAX_COMPONENTS]
        ),
    )
    ongoing = Incident.objects.filter(page__in=pages).count_ongoing()
    yield _by_page(
        "candor_open_incidents",
        "Incidents that are not resolved, by impact.",
        "impact",
        pages.values(),
        [impact for impact in Impact.values if impact != Impact.MAINTENANCE],
        [(page, impact, number) for page, kind, impact, number in ongoing if kind == Kind.INCIDENT],
    )
    running = Counter(dict.fromkeys(pages.values(), 0))
    for page, kind, _, number in ongoing:
        running[page] += number if kind == Kind.MAINTENANCE else 0
    rows = [((page,), number) for page, number in running.items()]
    yield _gauge("candor_running_maintenances", "Maintenances that have started and not ended.", ["page"], rows)


def _deliveries() -> Iterator[Metric]:
    waiting = waiting_by_channel()
    counts = [((channel,), waiting[channel].count) for channel in Channel.values]
    ages = [((channel,), waiting[channel].oldest_seconds) for channel in Channel.values]
    failing = set(ChannelState.objects.in_trouble().values_list("channel", flat=True))
    yield _gauge("candor_deliveries_waiting", "Deliveries that are due and not sent yet.", ["channel"], counts)
    yield _gauge("candor_deliveries_oldest_seconds", "For how long the oldest of them has been due.", ["channel"], ages)
    yield _gauge(
        "candor_channel_failing",
        "Whether the last attempt on the channel failed because of an error on our side or at the server.",
        ["channel"],
        [((channel,), channel in failing) for channel in Channel.values],
    )


def _publications() -> Iterator[Metric]:
    labels = ["page", "machine", "target"]
    rows = Publication.objects.ages()
    yield _gauge(
        "candor_publication_age_seconds",
        "For how long the target has not been updated. At most about 60 while publishing works.",
        labels,
        ((names, age.total_seconds()) for *names, age, _ in rows if age is not None),
    )
    yield _gauge(
        "candor_publication_failing",
        "Whether the last attempt to publish to the target failed.",
        labels,
        ((names, is_failing) for *names, _, is_failing in rows),
    )


def _processes() -> Iterator[Metric]:
    ages: dict[str, float] = {}
    offsets: dict[tuple[str, str], float] = {}
    for process, instance, age, offset in Heartbeat.objects.ages():
        ages.setdefault(process, age.total_seconds())
        if age.total_seconds() <= STALE_SECONDS:
            key = process, instance.rpartition(":")[0]
            offsets[key] = max(offset, offsets.get(key, 0.0), key=abs)
    yield _gauge(
        "candor_heartbeat_age_seconds",
        "The time since the last heartbeat of any process of this kind.",
        ["process"],
        (((process,), age) for process, age in ages.items()),
    )
    yield _gauge(
        "candor_clock_offset_seconds",
        "By how much the clock of the process is ahead of the database's clock.",
        ["process", "machine"],
        offsets.items(),
    )


def _notices() -> Iterator[Metric]:
    counts = Counter(notice.code for notice in system_notices())
    yield _gauge(
        "candor_system_notices",
        "Problems of Candor itself, as in the console.",
        ["code"],
        [((code,), counts[code]) for code in CODES],
    )


def _by_page(
    name: str,
    description: str,
    label: str,
    pages: Iterable[str],
    keys: Iterable[str],
    counts: Iterable[tuple[str, str, int]],
) -> Metric:
    """Return a gauge with a value for each page and key, 0 if `counts` has none."""
    numbers = dict.fromkeys(product(pages, keys), 0)
    numbers.update({(page, key): number for page, key, number in counts})
    return _gauge(name, description, ["page", label], numbers.items())
