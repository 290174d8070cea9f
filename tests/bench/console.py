"""Every page of the console with 10,000 incidents and 200 components: queries and milliseconds.

    python -m tests.bench.console

The page of tests.bench.publishing, in a SQLite of its own; an owner walks through the console's links and asks for each
page ten times, in this process, without a server. Asked of it: at most 15 queries and 100 ms for each page, and 50 ms
for the preview of 5,000 characters.
"""

import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

PAST, TURNS = 10_000, 10
QUERIES, MILLISECONDS, PREVIEW = 15, 100, 50


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DATA_DIR": folder, "DATABASE_URL": "", "SECRET_KEY": "only-for-the-bench-" * 3, "ENV_FILE": os.devnull,
            "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "statuspage.settings",
        }  # fmt: skip
        import django

        django.setup()
        measure()


def measure() -> None:
    from django.core.management import call_command
    from django.test import Client
    from django.test.utils import setup_test_environment

    from statuspage.common.urls import console_url
    from statuspage.console.management.commands.setup import collect_static
    from tests.bench.publishing import fill
    from tests.console.pages import walk
    from tests.factories import make_user

    setup_test_environment()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    collect_static()
    _, incident = fill(PAST)
    client = Client()
    client.force_login(make_user("owner"))
    paths = [*(path for _, path in walk(client, per_name=1)), *filters(incident)]
    rows = sorted((timed(client, path), path) for path in paths)
    say(f"| Page ({len(rows)}) | Queries | ms, in the middle of {TURNS} |")
    say("| --- | --- | --- |")
    for (milliseconds, queries), path in rows:
        missed = " (missed)" if queries > QUERIES or milliseconds > MILLISECONDS else ""
        say(f"| `{path}` | {queries} | {milliseconds:.0f}{missed} |")
    for tab in ("page", "mail", "webhook"):
        typed = {"step": "update", "incident": incident.public_id, "body": "We look at it. " * 333, "tab": tab}
        took = median(clock(partial(client.post, console_url(incident.page, "preview"), typed)) for _ in range(TURNS))
        say(f"| preview of 5,000 characters, {tab} | | {took:.0f}{' (missed)' if took > PREVIEW else ''} |")
    took = median(clock(partial(preview_of_postmortem, client, incident)) for _ in range(TURNS))
    say(f"| preview of a postmortem, 50 lines | | {took:.0f}{' (missed)' if took > PREVIEW else ''} |")


def preview_of_postmortem(client: Any, incident: Any) -> None:
    """Its text of 5,000 characters, with a timeline and its picture."""
    from statuspage.common.urls import console_url

    typed = {"preview": "1", "body": "We look at it. " * 333, "version": "0", "items-TOTAL_FORMS": "0"}
    typed |= {"items-INITIAL_FORMS": "0", "lines-TOTAL_FORMS": "50", "lines-INITIAL_FORMS": "0", "factors": "None"}
    for number in range(50):
        at = f"{incident.started_at + timedelta(minutes=number):%Y-%m-%d %H:%M}"
        typed |= {f"lines-{number}-at": at, f"lines-{number}-text": f"Line {number}", f"lines-{number}-is_public": "on"}
    path = console_url(incident.page, "postmortem", incident.public_id)
    answer = client.post(path, typed, headers={"hx-request": "true"})
    assert b"<svg" in answer.content, "the preview has its picture"


def filters(incident: Any) -> list[str]:
    """The list of incidents, narrowed by each of its fields, by all of them, and to nothing."""
    from statuspage.common.urls import console_url

    component = incident.page.components.last().public_id
    today = datetime.now(UTC).date()
    days = f"since={today - timedelta(days=400)}&until={today - timedelta(days=30)}"
    queries = ["q=incident", "q=nosuchword", f"q={incident.public_id}", "status=resolved", "impact=minor", days]
    queries += [f"component={component}", "status=cancelled", f"show=incidents&page=100&{days}", "page=150"]
    queries.append(f"show=incidents&q=a&status=resolved&impact=minor&component={component}&{days}")
    url = console_url(incident.page, "incidents")
    return [f"{url}?{query}" for query in queries]


def timed(client: Any, path: str) -> tuple[float, int]:
    from django.db import connection

    statements: list[str] = []

    def note(execute: Any, sql: str, *more: Any) -> Any:
        statements.append(sql)
        return execute(sql, *more)

    client.get(path)
    with connection.execute_wrapper(note):
        client.get(path)
    return median(clock(partial(client.get, path)) for _ in range(TURNS)), len(statements)


def clock(act: Any) -> float:
    began = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - began)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
