"""All 90-day bars and percentages of a page with 200 components and a long history, on SQLite and PostgreSQL.

    python -m tests.bench.uptime

makes a database of its own for each row and fills it with 1, then 10 years of history (100 current and 100 superseded
intervals per component and year). It reads the whole page nine times and prints the best. Asked of it: at most 0.5 s
and 3 queries, and ten times the history in at most 1.2 times the time. `--plans` also prints the plans of the query
for the last 90 days and for 90 days of a year ago.
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

from tests.servers import Postgres

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
COMPONENTS, PER_YEAR, YEARS, RUNS = 200, 100, (1, 10), 9


def main() -> int:
    postgres = Postgres()
    postgres.start()
    say(f"{'database':<12}{'years':>6}{'intervals':>11}{'superseded':>12}{'queries':>9}{'seconds':>9}{'ratio':>7}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            for vendor in ("sqlite", "postgresql"):
                first = 0.0
                for years in YEARS:
                    file = Path(folder) / f"{years}.sqlite3"
                    url = f"sqlite:///{file}" if vendor == "sqlite" else postgres.create(f"years{years}")
                    row = measured(url, years, folder)
                    seconds = float(row[-1])
                    first = first or seconds
                    numbers = f"{years:>6}{row[0]:>11}{row[1]:>12}{row[2]:>9}{seconds:>9.3f}{seconds / first:>7.2f}"
                    say(f"{vendor:<12}{numbers}")
    finally:
        postgres.stop()
    return 0


def measured(url: str, years: int, folder: str) -> list[str]:
    """In a process of its own: Django reads its settings once."""
    environment = {
        **os.environ, "DATABASE_URL": url, "DATA_DIR": folder, "SECRET_KEY": "only-for-the-bench-" * 3,
        "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "statuspage.settings",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.uptime", f"--years={years}", *sys.argv[1:]]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    *plans, row = done.stdout.splitlines()
    for line in plans:
        say(line)
    return row.split()


def measure(years: int, *, plans: bool) -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from incidents.models import StatusInterval

    call_command("migrate", verbosity=0)
    fill(years)
    if plans:
        print_plan()
    times = []
    for _ in range(RUNS):
        with CaptureQueriesContext(connection) as queries:
            began = time.perf_counter()
            read_page()
            times.append(time.perf_counter() - began)
    live = StatusInterval.objects.as_corrected().count()
    say(f"{live} {StatusInterval.objects.count() - live} {len(queries)} {min(times):.4f}")


def fill(years: int) -> None:
    from django.db import connection

    from incidents.actions.components import create_component
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
            rows += incident(component.pk, at + timedelta(hours=chance.uniform(0, 40)), chance, first=number == 0)
    close(rows)
    StatusInterval.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def incident(component: int, at: datetime, chance: random.Random, *, first: bool) -> list:  # type: ignore[type-arg]
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


def close(rows: list) -> None:  # type: ignore[type-arg]
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


def print_plan() -> None:
    from incidents.models import Component, StatusInterval

    for ago in (0, 365):
        end = NOW - timedelta(days=ago)
        rows = StatusInterval.objects.as_corrected()
        plan = rows.covering(Component.objects.all(), end - timedelta(days=90), end).explain()
        say(re.sub(r"\{[\d,]{50,}\}", "{…}", plan))


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv if argument.startswith("--years=")]
    if arguments:
        measure(int(arguments[0].removeprefix("--years=")), plans="--plans" in sys.argv)
    else:
        sys.exit(main())
