"""What other servers' reports say, read without believing them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuspage.notifications.bounces.dsn import read_report
from statuspage.notifications.models import BounceKind
from statuspage.notifications.transports.smtp.status_codes import bounce_kind_of, find_status
from tests.notifications import returned_mail as shapes
from tests.notifications.returned_mail import returned

TOKEN = "abcdefghijklmnopqrstuvwx"
TO = f"bounce+{TOKEN}@example.com"


def test_a_postfix_report_says_whom_what_and_why() -> None:
    report = read_report(returned(shapes.POSTFIX, TO))
    assert (report.tokens, report.kind, report.status) == ([TOKEN], BounceKind.HARD, "5.1.1")
    assert report.message == (
        "550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    )


def test_the_diagnostic_is_believed_where_the_status_says_little() -> None:
    report = read_report(returned(shapes.EXIM, TO))
    assert (report.kind, report.status) == (BounceKind.HARD, "5.1.1")
    assert report.message.startswith("550-5.1.1 The email account that you tried to reach does not exist. 550-5.1.1")


def test_a_report_in_utf8_is_read_too() -> None:
    report = read_report(returned(shapes.UTF8, TO))
    assert (report.kind, report.status) == (BounceKind.HARD, "5.1.1")


def test_a_full_mailbox_is_no_dead_one() -> None:
    assert read_report(returned(shapes.FULL, TO)).kind == BounceKind.SOFT


def test_a_bad_reputation_is_not_the_readers_fault() -> None:
    assert read_report(returned(shapes.LISTED, TO)).kind == BounceKind.POLICY


@pytest.mark.parametrize(
    ("raw", "ignored"),
    [
        (shapes.DELAYED, "not a failure: delayed"),
        (shapes.POSTFIX.replace(b"Action: failed", b"Action: expanded"), "not a failure: expanded"),
        (shapes.POSTFIX.replace(b"Action: failed\n", b""), "not a failure: no recipient"),
        (shapes.VACATION, "not a delivery report, possibly an automatic reply"),
        (shapes.COMPLAINT.replace(b"Type: abuse", b"Type: not-spam"), "not a complaint: not-spam"),
        (shapes.COMPLAINT.replace(b"Feedback-Type: abuse\n", b""), "not a complaint: no type"),
        (b"", "not a delivery report, possibly an automatic reply"),
    ],
)
def test_what_is_no_failure_and_no_complaint_says_why_it_is_ignored(raw: bytes, ignored: str) -> None:
    report = read_report(returned(raw, TO))
    assert (report.kind, report.ignored) == (None, ignored)


def test_an_alias_that_failed_for_one_of_two_is_no_failure() -> None:
    other = b"Final-Recipient: rfc822; eve@example.com\nAction: relayed\nStatus: 2.0.0\n\n"
    raw = shapes.POSTFIX.replace(b"Final-Recipient: rfc822; ada", other + b"Final-Recipient: rfc822; ada")
    assert read_report(returned(raw, TO)).ignored == "not a failure: failed, relayed"


def test_a_complaint_names_the_mail_by_the_sender_that_it_quotes() -> None:
    report = read_report(returned(shapes.COMPLAINT, TO))
    assert (report.tokens, report.kind, report.message) == ([TOKEN], BounceKind.COMPLAINT, "Reported as abuse")


def test_the_returned_headers_name_the_mail_if_no_address_does() -> None:
    raw = shapes.POSTFIX.replace(b"To: TO", b"To: postmaster@example.com")
    assert read_report(returned(raw, TO)).tokens == [TOKEN]


def test_case_that_a_server_folded_does_not_matter() -> None:
    assert read_report(returned(shapes.POSTFIX, TO.upper())).tokens == [TOKEN]


def test_words_hold_nothing_that_a_database_refuses() -> None:
    raw = shapes.POSTFIX.replace(b"User unknown", b"User \x00\xff\x1b[2J unknown " + b"x" * 5000)
    message = read_report(returned(raw, TO)).message
    assert len(message) <= 500
    assert "\x00" not in message
    assert "\x1b" not in message
    message.encode("utf-8")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("5.1.1", "hard"),
        ("5.1.10", "hard"),
        ("5.2.1", "hard"),
        ("5.4.1", "hard"),
        ("5.0.0", "hard"),
        ("5.2.2", "soft"),
        ("5.3.0", "soft"),
        ("5.4.7", "soft"),
        ("4.4.7", "soft"),
        ("", "soft"),
        ("5.7.1", "policy"),
        ("5.7.26", "policy"),
        ("5.6.0", "policy"),
        ("5.2.3", "policy"),
        ("5.3.4", "policy"),
    ],
)
def test_a_status_says_whose_fault_it_is(status: str, kind: str) -> None:
    assert bounce_kind_of(status) == kind


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 No such user", "5.1.1"),
        ("550-5.1.1 No such user", "5.1.1"),
        ("smtp; 550 no mailbox here", "5.0.0"),
        ("451 later", "4.0.0"),
        ("host 192.5.1.1 said nothing", ""),
        ("version 5.1.1.4", ""),
        ("5.1.1 (bad address)", "5.1.1"),
        ("no number", ""),
    ],
)
def test_a_status_is_found_in_a_servers_words(text: str, status: str) -> None:
    assert find_status(text) == status


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_report_is_read_without_an_error(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from([shapes.POSTFIX, shapes.EXIM, shapes.COMPLAINT, shapes.UTF8]))
    start = data.draw(st.integers(0, len(raw)))
    length = data.draw(st.integers(0, 200))
    read_report(raw[:start] + data.draw(st.binary(max_size=60)) + raw[start + length :])
