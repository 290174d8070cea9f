"""A restored or lost database under the running product: the page stays, and no Message-ID is used again."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.faults.fleet import Fleet, say
from tests.live import Candor
from tests.servers import wait_until
from tests.smtp_sink_process import FastSink

PREPARE = """
from datetime import timedelta
from django.utils import timezone
from incidents.models import Page
from statuspage.subscribers.models import Subscriber
confirmed = timezone.now() - timedelta(hours=1)
Subscriber.objects.create(page=Page.objects.get(), email="ann@example.com", state="active", confirmed_at=confirmed)
"""
DECLARE = """
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
open_incident(Page.objects.get(), title="{}", body="We are looking.", actor=SYSTEM)
"""
COUNTS = """
import json
from incidents.models import Page
from statuspage.accounts.models import User
print(json.dumps([Page.objects.count(), User.objects.count()]))
"""


@pytest.fixture
def fleet(candor: Candor, fast_sink: FastSink) -> Fleet:
    """The product with one subscriber. Its backup does not have the incident that is published and sent."""
    candor.env |= {"EMAIL_URL": fast_sink.url, "REDIS_URL": ""}
    candor.manage("setup")
    candor.manage("shell", "-v0", "-c", PREPARE)
    candor.manage("backup_database", str(candor.folder / "backup.sqlite3"))
    fleet = Fleet(candor, fast_sink)
    candor.serve()
    declare(candor, "Lost outage")
    wait_until(lambda: "Lost outage" in candor.get("/"), "the incident is published")
    wait_until(fleet.got(1), "the email arrives")
    candor.stop()
    return fleet


def declare(candor: Candor, title: str) -> None:
    candor.manage("shell", "-v0", "-c", DECLARE.format(title))


def reasons(candor: Candor) -> str:
    """Return what /readyz reports, or "" if it reports that all is well."""
    try:
        with urllib.request.urlopen(f"{candor.url}/readyz", timeout=10):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            report: dict[str, Any] = json.load(error)
            return json.dumps(report)


def database(candor: Candor) -> Path:
    return candor.folder / "data/private/candor.sqlite3"


def lose(candor: Candor) -> None:
    for file in database(candor).parent.glob("candor.sqlite3*"):
        file.unlink()


def test_after_a_restore_nothing_happens_until_it_is_decided(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    candor = fleet.candor
    lose(candor)
    (candor.folder / "backup.sqlite3").rename(database(candor))
    candor.serve()
    wait_until(lambda: "a backup was restored" in reasons(candor), "/readyz says so")
    assert "Lost outage" in candor.get("/")
    declare(candor, "Second outage")
    time.sleep(3)  # several rounds of the dispatcher
    assert "a backup was restored" in reasons(candor)
    assert "Second outage" not in candor.get("/")
    assert fleet.mails() == 1
    candor.manage("adopt_published", "--keep", "database")
    wait_until(lambda: "Second outage" in candor.get("/"), "everything is published again", seconds=60)
    assert "Lost outage" not in candor.get("/")
    wait_until(fleet.got(2), "the second email arrives")
    # Each reader's mails were counted by Message-ID: an ID that was used again would be a double.
    assert (fleet.sink.stat()["ids"], fleet.mails()) == (2, 2)
    say(capsys, "restored backup: page kept, 2 emails with 2 Message-IDs")


def test_an_empty_database_replaces_nothing(fleet: Fleet) -> None:
    candor = fleet.candor
    lose(candor)
    candor.serve()
    wait_until(lambda: "empty" in reasons(candor), "/readyz says so")
    assert "Lost outage" in candor.get("/")
    assert "All Systems Operational" not in candor.get("/")
    assert fleet.run_json(COUNTS) == [0, 0]
