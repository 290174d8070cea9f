"""Where reports come in: one message from a pipe, or one event from a provider."""

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

# A report stands before the mail that it returns, so what is cut off is the returned mail.
MAX_BYTES = 256 * 1024


def receive(stream: BinaryIO, *, envelope_to: str = "") -> str:
    """Read one returned message to its end and act on it. Returns what came of it, without addresses.

    Whatever stands in it, only the database's errors leave here: the mail server is to try again then.
    """
    raw = stream.read(MAX_BYTES)
    while stream.read(MAX_BYTES):
        pass  # who writes into the pipe must not find it closed
    try:
        report = read_report(raw)
        outcome = settle(report, tokens_in([envelope_to]) + report.tokens)
    except DatabaseTrouble:
        raise
    except Exception:
        logger.exception("A returned message could not be read.")
        outcome = "ignored: not to be understood"
    logger.info("Returned mail: %s", outcome)
    return outcome


def settle(report: BounceReport, tokens: list[str]) -> str:
    """Do what `report` says to the row that one of `tokens` names."""
    if report.kind is None:
        return f"ignored: {report.ignored}"
    row = row_of(tokens)
    if row is None and (subscriber := _complainer(report)):
        return f"reported as spam: {bounces.complained(subscriber, report.message)}"
    if row is None:
        return "ignored: not signed by us, or about a mail that is gone" if tokens else "ignored: names no mail of ours"
    return _apply(row, report.kind, report)


def _complainer(report: BounceReport) -> Subscriber | None:
    """Whose link to unsubscribe the mail carried that a complaint quotes."""
    try:
        return subscriber_of(UNSUBSCRIBE, report.unsubscribe)
    except BadToken:
        return None


def _apply(row: Delivery | MailTest, kind: BounceKind, report: BounceReport) -> str:
    outcome = f"{kind.label.lower()} {report.status}".strip()
    if isinstance(row, MailTest):
        MailTest.objects.came_back(row.pk, f"{kind.label}: {report.message}")
        return f"{outcome}: a test mail"
    return f"{outcome}: {bounces.came_back(row, kind, status=report.status, message=report.message)}"
