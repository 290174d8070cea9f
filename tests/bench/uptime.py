"""All 90-day bars and percentages of a page with 200 components and a long history, on SQLite and PostgreSQL.

    python -m tests.bench.uptime

makes a database of its own for each row and fills it with 1, then 10 years of history (100 current and 100 superseded
intervals per component and year). Then it reads the whole page from each in turn, in four rounds of nine, and prints
the best. Asked of it: at most 0.5 s and 3 queries, and ten times the history in at most 1.2 times the time. `--plans`
also prints the plans of the query for the last 90 days and for 90 days of a year ago.
"""

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import Postgres

if TYPE_CHECKING:
    from incidents.models import StatusInterval

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
COMPONENTS, PER_YEAR, YEARS, ROUNDS, READS = 200, 100, (1, 10), 4, 9


def main() -> int:
    postgres = Postgres()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            urls = {("sqlite", years): f"sqlite:///{Path(folder) / str(years)}.sqlite3" for years in YEARS}
            urls |= {("postgresql", years): postgres.create(f"years{years}") for years in YEARS}
            rows = {key: run(url, folder, "fill", str(key[1]), *sys.argv[1:]) for key, url in urls.items()}
            best: dict[tuple[str, int], list[str]] = {}
            for _ in range(ROUNDS):
                for key, url in urls.items():
                    best[key] = min(best.get(key, ["", "9"]), run(url, folder, "read"), key=lambda row: float(row[1]))
    finally:
        postgres.stop()
    say(f"{'database':<12}{'years':>6}{'intervals':>11}{'superseded':>12}{'queries':>9}{'seconds':>9}{'ratio':>7}")
    for (vendor, years), (queries, seconds) in best.items():
        live, superseded = rows[vendor, years]
        ratio = float(seconds) / float(best[vendor, YEARS[0]][1])
        say(f"{vendor:<12}{years:>6}{live:>11}{superseded:>12}{queries:>9}{float(seconds):>9.3f}{ratio:>7.2f}")
    return 0


def run(url: str, folder: str, *task: str) -> list[str]:
    """In a process of its own: Django reads its settings once. What it prints last is the result."""
    environment = {
        **os.environ, "DATABASE_URL": url, "DATA_DIR": folder, "SECRET_KEY": "only-for-the-bench-" * 3,
        "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "statuspage.settings",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.uptime", "--task", *task]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    *plans, row = done.stdout.splitlines()
    for line in plans:
        say(line)
    return row.split()


def fill_and_count(years: int, *, plans: bool) -> None:
    from django.core.management import call_command

    from incidents.models import StatusInterval

    call_command("migrate", verbosity=0)
    fill(years)
    if plans:
        print_plans()
    live = StatusInterval.objects.as_corrected().count()
    say(f"{live} {StatusInterval.objects.count() - live}")


def read() -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times = []
    for _ in range(READS):
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            read_page()
            times.append(time.perf_counter() - began)
    say(f"{len(queries)} {min(times):.4f}")


def fill(years: int) -> None:
    from django.db import connection

    from incidents.actions.components.component_lifecycle import create_component
    from incidents.actor import SYSTEM
    from incidents.models import Page, StatusInterval

    page = Page.objects.create(name="Bench", time_zone="Europe/Berlin")
    components = [create_component(page, name=f"Part {number}", actor=SYSTEM) for number in range(COMPONENTS)]
    StatusInterval.objects.all().delete()
    chance = random.Random(7)
    began = NOW - timedelta(days=365 * years)
    rows = []
    # In the order of time, as they would have been written.
    for number in range(years * PER_YEAR // 2):
        at = began + timedelta(days=365 * years) * number / (years * PER_YEAR // 2)
        for component in components:
            rows += incident(component.pk, at + timedelta(hours=chance.uniform(0, 40)), chance)
    close(rows)
    StatusInterval.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def incident(component: int, at: datetime, chance: random.Random) -> "list[StatusInterval]":
    """An outage and the time after it, each with the open row that it replaced."""
    from incidents.models import StatusInterval

    until = at + timedelta(minutes=chance.uniform(3, 240))
    status = chance.choice(["major_outage", "partial_outage", "degraded_performance", "under_maintenance"])
    common = {"component_id": component}
    return [
        StatusInterval(**common, status=status, started_at=at, recorded_at=at, superseded_at=until),
        StatusInterval(**common, status=status, started_at=at, ended_at=until, recorded_at=until),
        StatusInterval(**common, status="operational", started_at=until, recorded_at=until, superseded_at=until),
        StatusInterval(**common, status="operational", started_at=until, recorded_at=until),
    ]


def close(rows: "list[StatusInterval]") -> None:
    """Each current row ends where the component's next one begins."""
    following: dict[int, datetime] = {}
    for row in reversed(rows):
        if row.superseded_at is None:
            row.ended_at = row.ended_at or following.get(row.component_id)
            following[row.component_id] = row.started_at


def read_page() -> None:
    from incidents.models import Page
    from statuspage.public.uptime import bars_of

    page = Page.objects.get()
    components = list(page.components.in_page_order())
    assert len(bars_of(page, components, now=NOW)) == COMPONENTS


def print_plans() -> None:
    from incidents.models import Component, StatusInterval

    for ago in (0, 365):
        end = NOW - timedelta(days=ago)
        rows = StatusInterval.objects.as_corrected()
        plan = rows.covering(Component.objects.all(), end - timedelta(days=90), end).explain()
        say(re.sub(r"\{[\d,]{50,}\}", "{…}", plan))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def perform(task: str, *arguments: str) -> None:
    import django

    django.setup()
    if task == "fill":
        fill_and_count(int(arguments[0]), plans="--plans" in arguments)
    else:
        read()


if __name__ == "__main__":
    if "--task" in sys.argv:
        perform(*sys.argv[2:])
    else:
        sys.exit(main())
