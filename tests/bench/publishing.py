"""What it costs to publish one update, and everything, on a page with 200 components and a long past.

    python -m tests.bench.publishing [--paths]

makes a page with 100, then one with 10,000 past incidents in a database of its own (SQLite), one incident every 4.4
hours back from now, each with three updates that name a component, and each component with its 90-day bar. It publishes
all of it, then posts updates to an open incident and publishes each. CPU seconds are of all threads, user and system.
Asked of it: one update at most 0.5 s of CPU, and with 10,000 at most 1.5 times that with 100; everything within three
minutes, in a memory that does not grow. `--paths` prints what each path of one update costs to render.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

COMPONENTS, PASTS, UPDATES = 200, (100, 10_000), 7
APART = timedelta(hours=4.4)
MB = 1024


def main() -> int:
    results: dict[int, dict[str, float]] = {}
    for past in PASTS:
        with tempfile.TemporaryDirectory() as folder:
            results[past] = run(folder, past)
    say("| Past incidents | Paths | All: s | CPU s | RSS early, late | One update: CPU s | s | Ratio | Paths |")
    say("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for past, row in results.items():
        ratio = row["update_cpu"] / results[PASTS[0]]["update_cpu"]
        say(
            f"| {past:,} | {row['paths']:,.0f} | {row['all']:.1f} | {row['all_cpu']:.1f} "
            f"| {row['rss_early']:.0f}, {row['rss']:.0f} MB | {row['update_cpu']:.2f} | {row['update']:.2f} "
            f"| {ratio:.2f} | {row['touched']:.0f} |"
        )
    return 0


def run(folder: str, past: int) -> dict[str, float]:
    """In a process of its own, whose last line is the result."""
    environment = {
        **os.environ, "DATABASE_URL": "", "DATA_DIR": folder, "SECRET_KEY": "only-for-the-bench-" * 3,
        "ENV_FILE": os.devnull, "PUBLISHED_DIR": "", "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "statuspage.settings",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.bench.publishing", "--task", str(past), *sys.argv[1:]]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    *profile, row = done.stdout.splitlines()
    for line in profile:
        say(line)
    figures: dict[str, float] = json.loads(row)
    return figures


def perform(past: int) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from statuspage.console.management.commands.setup import collect_static

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    collect_static()
    page, incident = fill(past)
    figures = rebuild_figures(page)
    figures |= update_figures(page, incident)
    say(json.dumps(figures))


def fill(past: int) -> tuple[Any, Any]:
    """The page, and an incident of it that is going on."""
    from incidents.models import Page
    from tests.factories import make_component, make_group, make_incident
    from tests.public.test_cost import fill_the_bars

    page = Page.objects.create(name="Bench", time_zone="Europe/Berlin")
    groups = [make_group(page, f"Group {number}") for number in range(COMPONENTS // 10)]
    parts = [make_component(page, f"Part {n}", group=groups[n // 10]) for n in range(COMPONENTS)]
    fill_the_bars(page)
    fill_the_past(page, parts, past)
    return page, make_incident(page, components={parts[0]: "partial_outage", parts[9]: "degraded_performance"})


def fill_the_past(page: Any, parts: list[Any], count: int) -> None:
    from django.utils import timezone

    from incidents.models import AffectedComponent, Incident, IncidentUpdate

    now = timezone.now()
    rows = []
    for number in range(count, 0, -1):
        began = now - APART * number
        until = began + timedelta(hours=1)
        times = {"started_at": began, "resolved_at": until, "last_update_at": until, "created_at": began}
        rows.append(Incident(page=page, title=f"Incident {number}", status="resolved", impact="minor", **times))
    incidents = Incident.objects.bulk_create(rows, batch_size=1000)
    text = "We have found the cause of the failing requests and are working on it. " * 3
    updates = IncidentUpdate.objects.bulk_create(
        (
            IncidentUpdate(
                incident=incident, status=status, body=text, body_html=f"<p>{text}</p>",
                display_at=incident.started_at + timedelta(minutes=minutes),
            )
            for incident in incidents
            for status, minutes in (("investigating", 0), ("identified", 20), ("resolved", 60))
        ),
        batch_size=1000,
    )  # fmt: skip
    affected = (
        AffectedComponent(
            update=update, component=parts[n // 3 % len(parts)], old_status="operational", new_status="partial_outage"
        )
        for n, update in enumerate(updates)
    )
    AffectedComponent.objects.bulk_create(affected, batch_size=1000)


def rebuild_figures(page: Any) -> dict[str, float]:
    from statuspage.public import published_paths
    from statuspage.publishing.page_files import PageFiles, tree_of, write_hosts

    early = 0.0

    def look(done: int, total: int) -> None:
        nonlocal early
        if done == total // 10:
            early = rss()

    write_hosts([page])
    began, cpu = time.perf_counter(), time.process_time()
    paths = PageFiles(page, tree_of(page.public_id), published_paths).rebuild(on_progress=look)
    figures = {"all": time.perf_counter() - began, "all_cpu": time.process_time() - cpu}
    return figures | {"paths": paths, "rss_early": early, "rss": rss()}


def update_figures(page: Any, incident: Any) -> dict[str, float]:
    from incidents.models import Event
    from statuspage.public import published_paths
    from statuspage.publishing.page_files import PageFiles, tree_of
    from tests.factories import post

    files, times = PageFiles(page, tree_of(page.public_id), published_paths), []
    for number in range(UPDATES):
        post(incident, body=f"Number {number}: we know more.")
        began, cpu = time.perf_counter(), time.process_time()
        files.publish_events()
        times.append((time.perf_counter() - began, time.process_time() - cpu))
    last = list(Event.objects.of_page_after(page, 0))[-1]
    touched = published_paths.changed(page, [last], since=last.created_at, now=last.created_at).paths
    if "--paths" in sys.argv:
        print_costs(page, touched)
    clock, cpu_of = (list(column) for column in zip(*times, strict=True))
    return {"update": median(clock), "update_cpu": median(cpu_of), "touched": len(touched)}


def print_costs(page: Any, touched: list[str]) -> None:
    from statuspage.publishing.rendering import render

    costs = []
    for path in touched:
        cpu = time.process_time()
        answer = render(page, path)
        costs.append((time.process_time() - cpu, len(answer.body) if answer else 0, path))
    for seconds, size, path in sorted(costs, reverse=True):
        say(f"{seconds * 1000:7.0f} ms {size:>9,} bytes  {path}")


def rss() -> float:
    """Megabytes."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / MB


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if "--task" in sys.argv:
        perform(int(sys.argv[2]))
    else:
        sys.exit(main())
