"""Process incoming reports: one message from a pipe, or one event from a provider."""

from __future__ import annotations

import logging
from typing import BinaryIO

from django.db import Error as DatabaseTrouble

from statuspage.common.signing import BadToken
from statuspage.notifications.bounces import bounces
from statuspage.notifications.bounces.dsn import BounceReport, read_report
from statuspage.notifications.messages.return_path import row_of, tokens_in
from statuspage.notifications.models import BounceKind, Delivery, MailTest
from statuspage.subscribers.links import UNSUBSCRIBE, subscriber_of
from statuspage.subscribers.models import Subscriber

logger = logging.getLogger(__name__)

# The report comes before the returned email, so only the returned email is truncated.
MAX_BYTES = 256 * 1024


def receive(stream: BinaryIO, *, envelope_to: str = "") -> str:
    """Read one returned message to its end and process it. Return the outcome, without addresses.

    Raises only database errors, whatever the message contains: the mail server then retries.
    """
    raw = stream.read(MAX_BYTES)
    while stream.read(MAX_BYTES):
        pass  # read to the end, so that the writer does not get a broken pipe
    try:
        report = read_report(raw)
        outcome = apply_report(report, tokens_in([envelope_to]) + report.tokens)
    except DatabaseTrouble:
        raise
    except Exception:
        logger.exception("A returned message could not be read.")
        outcome = "ignored: could not be parsed"
    logger.info("Returned mail: %s", outcome)
    return outcome


def apply_report(report: BounceReport, tokens: list[str]) -> str:
    """Apply `report` to the delivery or mail test of the first valid token."""
    if report.kind is None:
        return f"ignored: {report.ignored}"
    row = row_of(tokens)
    if row is None and (subscriber := _complainer(report)):
        return f"reported as spam: {bounces.record_complaint(subscriber, report.message)}"
    if row is None:
        return "ignored: invalid token, or the email no longer exists" if tokens else "ignored: no token of an email"
    return _apply(row, report.kind, report)


def _complainer(report: BounceReport) -> Subscriber | None:
    """Return the subscriber of the unsubscribe link in the email that the complaint quotes."""
    try:
        return subscriber_of(UNSUBSCRIBE, report.unsubscribe)
    except BadToken:
        return None


def _apply(row: Delivery | MailTest, kind: BounceKind, report: BounceReport) -> str:
    outcome = f"{kind.label.lower()} {report.status}".strip()
    if isinstance(row, MailTest):
        MailTest.objects.record_bounce(row.pk, f"{kind.label}: {report.message}")
        return f"{outcome}: a test email"
    return f"{outcome}: {bounces.record_bounce(row, kind, status=report.status, message=report.message)}"
