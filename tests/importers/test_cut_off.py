"""An import that is killed, interrupted, or meets a server that stops is started again, and finds what is missing."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incidents.models import AuditEntry, Incident, StatusInterval
from statuspage.importers.report import ImportReport
from tests.importers.running import run_public
from tests.importers.statuspages import FakeStatuspage, outage
from tests.live import ROOT, Candor
from tests.receivers import ReceivedRequest, Reply
from tests.servers import wait_until

BEGAN = datetime(2024, 9, 12, 10, 1, 11, 209000, tzinfo=UTC)


def many(count: int) -> list[dict[str, object]]:
    return [outage(f"a{number:03}5scd1jv1", BEGAN - timedelta(hours=7 * number)) for number in range(count)]


def test_a_killed_import_started_again_makes_what_a_whole_one_makes(theirs: FakeStatuspage, tmp_path: Path) -> None:
    theirs.incidents = many(120)
    killed, whole = (Candor(tmp_path / name, env={"OUTBOUND_ALLOW": "127.0.0.0/8"}) for name in ("killed", "whole"))
    killed.folder.mkdir()
    killed.manage("migrate", "--verbosity", "0")
    shutil.copytree(killed.folder, whole.folder)
    command = ["manage.py", "import_page", "statuspage", "--from-public", theirs.base, "--rate", "0"]
    process = subprocess.Popen(
        [sys.executable, *command], env=killed.environment, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    # It is in the middle of the old ones, which are asked for one by one.
    wait_until(
        lambda: sum("/incidents/" in path for path in theirs.requested_paths) > 20, "it reads old incidents", seconds=60
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    count_before = len(theirs.requests)
    killed.manage(*command[1:])
    # What had come over was not asked for again.
    assert sum("/incidents/" in path for path in theirs.requested_paths[count_before:]) < 70
    whole.manage(*command[1:])
    states = [candor.manage("shell", "-v", "0", "-c", ALL) for candor in (killed, whole)]
    assert states[0] == states[1]
    assert "partial_outage" in states[0]


# All that visitors see: when it was written down here is another matter.
ALL = """
from incidents.models import *
print(list(Incident.objects.order_by("public_id").values_list("public_id", "title", "resolved_at")))
print(list(IncidentUpdate.objects.order_by("public_id").values_list("public_id", "status", "display_at", "body_html")))
live = StatusInterval.objects.filter(superseded_at=None).order_by("started_at")
print(list(live.values_list("status", "started_at", "ended_at", "update__public_id")))
"""


@pytest.mark.django_db
def test_what_came_before_somebody_stopped_it_is_folded_into_the_history_and_noted(
    theirs: FakeStatuspage, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.incidents = many(3)

    def interrupt(report: ImportReport, kind: str, done: int, total: int = 0) -> None:
        if sum(report.counts.get("incidents", {}).values()) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ImportReport, "progress", interrupt)
    ran = run_public(theirs)
    assert (ran.code, ran.error) == (
        130,
        "Stopped. Everything imported so far is kept; run the command again to continue.",
    )
    assert Incident.objects.count() == 2
    assert StatusInterval.objects.as_corrected().filter(status="partial_outage").count() == 2
    assert AuditEntry.objects.get(verb="page.imported").details["read"]["incidents"] == {"created": 2}


@pytest.mark.django_db
def test_a_server_that_stops_answering_costs_what_it_did_not_say_and_the_next_run_brings_it(
    theirs: FakeStatuspage,
) -> None:
    theirs.incidents = many(60)

    def judge(received: ReceivedRequest) -> Reply:
        return Reply(404) if "/incidents/a05" in received.path else theirs.serve(received)

    theirs.responder = judge
    ran = run_public(theirs)
    assert (ran.code, ran.row("incidents")["skipped"], Incident.objects.count()) == (3, 10, 50)
    theirs.responder = theirs.serve
    ran = run_public(theirs)
    assert (ran.code, ran.row("incidents")["created"], Incident.objects.count()) == (0, 10, 60)
