"""The dispatcher twice, the dispatcher frozen, and news that is taken back on its way."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from tests.faults.fleet import FULL, Fleet, say, sized
from tests.live import Candor
from tests.servers import Postgres, wait_until
from tests.smtp_sink_process import FastSink

EVENTS, READERS = 5, sized(400, 2000)
NOTICED = 90.0

SCHEDULE = """
from datetime import timedelta
from django.utils import timezone
from incidents.models import Page
from tests.factories import make_maintenance
make_maintenance(Page.objects.get(), begins=timezone.now() + timedelta(minutes=20))
"""
HOUR_AHEAD = """
from datetime import datetime, timedelta, timezone
import time_machine
time_machine.travel(datetime.now(timezone.utc) + timedelta(hours=1), tick=True).start()
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "statuspage.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "dispatch"])
"""
STATUS = "from incidents.models import Incident; print(Incident.objects.get().status)"
OFFSET = """
from statuspage.notifications.models import Heartbeat
print(max([abs(beat.clock_offset) for beat in Heartbeat.objects.filter(process="dispatcher")], default=0.0))
"""


def test_two_dispatchers_at_once_tell_everybody_once(
    candor: Candor, fast_sink: FastSink, postgres_server: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    candor.env["DATABASE_URL"] = postgres_server.create("two-dispatchers")
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(READERS)
    for _ in range(EVENTS):
        fleet.publish()
    for name in ("dispatcher", "second dispatcher"):
        candor.start(name, "manage.py", "dispatch")
    wait_until(fleet.got(EVENTS * READERS), "every reader is told of everything", seconds=90)
    assert fleet.states() == {"sent": EVENTS * READERS}
    stat = fast_sink.stat()
    assert stat["mails"] == stat["ids"] == EVENTS * READERS
    say(capsys, f"two dispatchers at once: {EVENTS} events x {READERS} readers, one row each, lost 0, doubled 0")


def test_what_is_taken_back_on_its_way_is_cancelled_with_the_reason(
    candor: Candor, fast_sink: FastSink, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = Fleet(candor, fast_sink)
    fleet.prepare(1500)
    fast_sink.set(latency=0.05)
    candor.start_dispatcher()
    fleet.publish()
    wait_until(fleet.got(100), "some mails arrive", seconds=30)
    fleet.shell(UNSUBSCRIBE_LATE_ONES)
    before = fleet.mails()
    fleet.shell(HIDE)
    sent_at_hiding = fleet.mails()
    states = fleet.states()
    reasons = fleet.run_json(REASONS)
    assert states["sent"] == fleet.mails() < 1500
    assert states["sent"] + states["cancelled"] == 1500
    assert set(reasons) == {
        "The incident was hidden before this notification was sent.",
        "The subscriber unsubscribed before this was sent.",
    } or set(reasons) == {"The incident was hidden before this notification was sent."}
    late = states["sent"] - sent_at_hiding
    say(capsys, f"hidden on its way: {before} sent, {late} more after it was hidden, {states['cancelled']} cancelled")


def test_a_clock_that_jumps_an_hour_leaves_nothing_stuck(
    candor: Candor, fast_sink: FastSink, postgres_server: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ledger's clock is the database's. Here all its times move instead, which looks the same to the senders."""
    candor.env["DATABASE_URL"] = postgres_server.create("clock")
    fleet = Fleet(candor, fast_sink)
    readers = sized(2000, 10_000)
    fleet.prepare(readers)
    fast_sink.set(latency=0.02)
    for name in ("dispatcher", "second dispatcher"):
        candor.start(name, "manage.py", "dispatch")
    fleet.publish()
    in_flight = 0
    for share, move in ((0.25, "-"), (0.5, "+")):
        wait_until(fleet.got(int(readers * share)), "some mails arrive", seconds=60)
        in_flight += fleet.run_json(CLOCK.replace("MOVE", move))
    wait_until(lambda: fleet.readers_told() == readers, "every reader is told", seconds=90)
    assert fleet.states() == {"sent": readers}
    doubles = fleet.doubles()
    say(capsys, f"clock an hour forward and back: {readers} mails, lost 0, doubled {doubles} of {in_flight} in flight")
    assert doubles <= in_flight


def test_a_dispatcher_that_is_an_hour_ahead_starts_no_maintenance(
    candor: Candor, postgres_server: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    candor.env["DATABASE_URL"] = postgres_server.create("ahead")
    candor.manage("setup")
    candor.manage("shell", "-v0", "-c", SCHEDULE)
    candor.start("dispatcher", "-c", HOUR_AHEAD)
    wait_until(lambda: float(candor.manage("shell", "-v0", "-c", OFFSET)) > 1800, "its clock is compared")
    wait_until(lambda: (candor.folder / "data/public/published/hosts.json").exists(), "it has worked")
    assert candor.manage("shell", "-v0", "-c", STATUS).split()[-1] == "scheduled"
    offset = float(candor.manage("shell", "-v0", "-c", OFFSET))
    say(capsys, f"dispatcher an hour ahead: nothing started 20 minutes early, its clock reported {offset:.0f} s off")
    assert 3500 < offset < 3700


def readyz(candor: Candor) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"{candor.url}/readyz", timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def answers(candor: Candor, status: int) -> Callable[[], bool]:
    return lambda: readyz(candor)[0] == status


def test_a_frozen_dispatcher_is_noticed(candor: Candor, capsys: pytest.CaptureFixture[str]) -> None:
    candor.serve()
    wait_until(answers(candor, 200), "Candor is ready", seconds=30)
    pid = int(json.loads(candor.manage("shell", "-v0", "-c", DISPATCHER).strip().splitlines()[-1]))
    os.kill(pid, signal.SIGSTOP)
    frozen_at = time.monotonic()
    try:
        skipped = 0
        if not FULL:  # the last heartbeat seems older than it is, so that CI need not wait so long
            skipped = 80
            candor.manage("shell", "-v0", "-c", AGE_HEARTBEATS)
        wait_until(answers(candor, 503), "/readyz says so", seconds=NOTICED + 5)
        noticed = time.monotonic() - frozen_at + skipped
        assert candor.manage("shell", "-v0", "-c", SILENT).strip().endswith("True")
    finally:
        os.kill(pid, signal.SIGCONT)
    again = time.monotonic()
    wait_until(answers(candor, 200), "it is well again", seconds=30)
    say(
        capsys,
        f"dispatcher frozen: /readyz and the console say so after {noticed:.0f} s; well again "
        f"{time.monotonic() - again:.1f} s after it goes on",
    )
    assert noticed <= NOTICED + 2


UNSUBSCRIBE_LATE_ONES = """
from statuspage.subscribers.models import Subscriber
for subscriber in Subscriber.objects.order_by("-pk")[:50]:
    subscriber.unsubscribe()
"""
HIDE = """
from incidents.actions.incidents.incident_lifecycle import hide
from incidents.actor import SYSTEM
from incidents.models import Incident
hide(Incident.objects.get(), actor=SYSTEM, reason="Wrong page")
"""
REASONS = """
import json
from statuspage.notifications.models import Delivery
print(json.dumps(list(Delivery.objects.filter(state="cancelled").values_list("last_error", flat=True).distinct())))
"""
CLOCK = """
import json
from datetime import timedelta
from django.db.models import F
from statuspage.notifications.models import Delivery
hour = timedelta(hours=1)
held = Delivery.objects.queued().filter(lease_until__isnull=False)
print(json.dumps(held.count()))
held.update(lease_until=F("lease_until") MOVE hour)
Delivery.objects.queued().update(next_attempt_at=F("next_attempt_at") MOVE hour)
"""
DISPATCHER = """
from statuspage.notifications.models import Heartbeat
print(Heartbeat.objects.last_of("dispatcher").instance.rpartition(":")[2])
"""
AGE_HEARTBEATS = """
from datetime import timedelta
from django.db.models import F
from statuspage.notifications.models import Heartbeat
Heartbeat.objects.update(at=F("at") - timedelta(seconds=80))
"""
SILENT = """
from datetime import timedelta
from statuspage.notifications.models import Heartbeat
print(not Heartbeat.objects.is_alive("dispatcher", within=timedelta(seconds=90)))
"""
