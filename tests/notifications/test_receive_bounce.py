"""Mail that comes back through the mail server's pipe."""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from incidents.models import Page
from statuspage.common.signing import sign_number
from statuspage.dispatcher.loop import drain
from statuspage.notifications.bounces.inbound import MAX_BYTES, receive
from statuspage.notifications.messages.return_path import DELIVERY, return_path
from statuspage.notifications.models import Bounce
from statuspage.subscribers.models import Subscriber
from tests.factories import make_incident, make_subscriber, make_user
from tests.live import ROOT, Candor
from tests.notifications import returned_mail as shapes
from tests.notifications.mailbox import parsed
from tests.notifications.returned_mail import returned
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def subscriber(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com")


@pytest.fixture
def sender(page: Page, subscriber: Subscriber, sink: SmtpSink, settings: Settings) -> str:
    """The return path of a mail that Ada's server took."""
    settings.BOUNCE_ADDRESS = "bounce@status.example.com"
    make_incident(page, title="API outage")
    drain()
    (email,) = sink.to("ada@example.com")
    return email.sender


def pipe(raw: bytes, *, envelope_to: str = "") -> str:
    return receive(io.BytesIO(raw), envelope_to=envelope_to)


def state(subscriber: Subscriber) -> str:
    subscriber.refresh_from_db()
    return subscriber.state


def test_a_mail_that_comes_back_pauses_its_reader_and_staff_sees_why(sender: str, subscriber: Subscriber) -> None:
    assert pipe(returned(shapes.POSTFIX, sender)) == "permanently rejected 5.1.1: paused"
    assert state(subscriber) == "paused"
    editor = Client()
    editor.force_login(make_user("editor"))
    mails = editor.get("/console/p/acme/mail").content.decode()
    assert "Recent bounces" in mails
    assert "User unknown in virtual mailbox table" in mails
    assert "API outage</a>" in mails
    assert "User unknown in virtual mailbox table" in editor.get("/console/p/acme/subscribers").content.decode()


def test_a_complaint_unsubscribes(sender: str, subscriber: Subscriber) -> None:
    assert pipe(returned(shapes.COMPLAINT, sender)) == "reported as spam: unsubscribed"
    assert state(subscriber) == "unsubscribed"


def test_a_complaint_that_quotes_no_sender_is_known_by_the_link_to_unsubscribe(
    sender: str, subscriber: Subscriber, sink: SmtpSink
) -> None:
    link = b"List-Unsubscribe: " + str(parsed(sink.emails[0].raw)["List-Unsubscribe"]).encode()
    raw = shapes.COMPLAINT.replace(b"Original-Mail-From: <TO>\n", b"")
    raw = raw.replace(b"From: Acme", link + b"\nFrom: Acme")
    assert pipe(raw) == "reported as spam: unsubscribed"
    assert pipe(raw) == "reported as spam: already recorded"
    assert state(subscriber) == "unsubscribed"
    assert Bounce.objects.get().kind == "complaint"


def test_a_link_to_unsubscribe_makes_no_bounce(sender: str, subscriber: Subscriber, sink: SmtpSink) -> None:
    link = b"List-Unsubscribe: " + str(parsed(sink.emails[0].raw)["List-Unsubscribe"]).encode()
    raw = returned(shapes.POSTFIX, "nobody@example.com").replace(b"From: Acme", link + b"\nFrom: Acme")
    assert pipe(raw) == "ignored: no token of an email"


def test_the_pipe_may_name_the_recipient_where_the_headers_do_not(sender: str, subscriber: Subscriber) -> None:
    raw = returned(shapes.POSTFIX, "postmaster@example.com")
    assert pipe(raw, envelope_to=sender.upper()) == "permanently rejected 5.1.1: paused"


@pytest.mark.parametrize("forged", ["bounce+aaaaaaaaaaaaaaaaaaaaaaaa@status.example.com", "status@localhost"])
def test_what_we_did_not_sign_is_ignored(sender: str, subscriber: Subscriber, forged: str) -> None:
    assert pipe(returned(shapes.POSTFIX, forged)).startswith("ignored: ")
    assert pipe(returned(shapes.COMPLAINT, forged)).startswith("ignored: ")
    assert state(subscriber) == "active"
    assert not Bounce.objects.exists()


@pytest.mark.parametrize("raw", [shapes.DELAYED, shapes.VACATION], ids=["delayed", "vacation"])
def test_delays_and_automatic_answers_change_nothing(sender: str, subscriber: Subscriber, raw: bytes) -> None:
    assert pipe(returned(raw, sender)).startswith("ignored: ")
    assert state(subscriber) == "active"


def test_a_signed_address_of_a_mail_that_is_gone_is_ignored(page: Page, settings: Settings) -> None:
    settings.BOUNCE_ADDRESS = "bounce@status.example.com"
    outcome = pipe(returned(shapes.POSTFIX, return_path(sign_number(DELIVERY, 4711))))
    assert outcome == "ignored: invalid token, or the email no longer exists"


def test_a_huge_returned_mail_is_read_to_its_end_and_kept_only_in_part(sender: str, subscriber: Subscriber) -> None:
    stream = io.BytesIO(returned(shapes.POSTFIX, sender) + b"x" * 3 * MAX_BYTES)
    assert receive(stream) == "permanently rejected 5.1.1: paused"
    assert stream.read() == b""


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Content-Type: multipart/report; boundary=\n\n--\n",
        b"Content-Type: message/delivery-status\n\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)),
        b"To: " + b"bounce+aaaaaaaaaaaaaaaaaaaaaaaa@x, " * 5000,
    ],
    ids=["nothing", "bytes", "no boundary", "empty", "nested", "many"],
)
def test_rubbish_never_breaks_the_pipe(page: Page, raw: bytes) -> None:
    assert pipe(raw).startswith("ignored: ")


def test_the_same_report_in_two_pipes_at_once_counts_once(sender: str, subscriber: Subscriber) -> None:
    outcomes: list[str] = []

    def take() -> None:
        outcomes.append(pipe(returned(shapes.POSTFIX, sender)))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [
        *["permanently rejected 5.1.1: already recorded"] * 3,
        "permanently rejected 5.1.1: paused",
    ]
    assert Bounce.objects.count() == 1


def command(raw: bytes, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """`manage.py receive_bounce`, as a mail server runs it."""
    run = [sys.executable, str(ROOT / "manage.py"), "receive_bounce"]
    return subprocess.run(run, input=raw, env=environment, capture_output=True, check=False, timeout=60)


def test_while_the_database_is_away_the_mail_server_is_asked_to_try_again(tmp_path: Path) -> None:
    raw = returned(shapes.POSTFIX, return_path_of_anybody())
    for url in ("postgres://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path}/empty.sqlite3"):
        done = command(raw, {**os.environ, "DATABASE_URL": url})
        assert done.returncode == os.EX_TEMPFAIL
        assert b"Traceback" not in done.stderr


def return_path_of_anybody() -> str:
    return f"bounce+{sign_number(DELIVERY, 1)}@status.example.com"


def test_wrong_input_ends_with_success_so_that_nothing_bounces_back() -> None:
    for raw in (b"", b"\xff\x00rubbish", shapes.VACATION):
        done = command(raw, dict(os.environ))
        assert (done.returncode, done.stdout[:9]) == (0, b"ignored: ")


PREPARE = """
from django.utils import timezone
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actions.pages.page_settings import create_page
from incidents.actor import SYSTEM
from statuspage.subscribers.models import Subscriber
page = create_page(name="Acme", time_zone="Etc/UTC", actor=SYSTEM)
for name in ("ada", "bob"):
    Subscriber.objects.create(page=page, email=f"{name}@example.com", state="active", confirmed_at=timezone.now())
open_incident(page, title="API outage", body="We are looking.", actor=SYSTEM)
"""
STATES = """
from statuspage.subscribers.models import Subscriber
print({one.email: (one.state, one.paused_reason[:9]) for one in Subscriber.objects.all()})
"""


def test_the_whole_way_with_a_mail_server_that_pipes_its_reports_in(candor: Candor, smtp_sink: SmtpSink) -> None:
    candor.env |= {"EMAIL_URL": smtp_sink.url, "BOUNCE_ADDRESS": "bounce@status.example.com", "REDIS_URL": ""}
    candor.manage("migrate", "-v0")
    candor.manage("shell", "-v0", "-c", PREPARE)
    candor.manage("dispatch", "--drain")
    (email,) = smtp_sink.to("ada@example.com")
    done = command(returned(shapes.POSTFIX, email.sender), candor.environment)
    assert (done.returncode, done.stdout) == (0, b"permanently rejected 5.1.1: paused\n")
    states = candor.manage("shell", "-v0", "-c", STATES)
    assert "'ada@example.com': ('paused', '550 5.1.1')" in states
    assert "'bob@example.com': ('active', '')" in states
