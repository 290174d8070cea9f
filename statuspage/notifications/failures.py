"""Records the failed attempts of a run in groups, because a statement takes longer than a row."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from statuspage.notifications.bounces.bounces import record_rejections
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.base import TransportError

# A group is recorded when it has so many failures, or when its first one is so old. If the worker is killed before,
# its leases expire and these deliveries are attempted again, without an email that arrives twice.
GROUP = 50
WAIT_SECONDS = 0.25
TWICE_IN_DOUBT = "Sent twice and never answered: it may have arrived. {error}"


@dataclass(frozen=True)
class Failure:
    """The result of a failed attempt. It is final unless `after`, the time until the next attempt, is set."""

    text: str
    after: timedelta | None = None
    in_doubt: bool = False
    is_rejection: bool = False

    @classmethod
    def of(cls, delivery: Delivery, error: TransportError, delays: tuple[timedelta, ...]) -> Failure:
        """`delays`: before the second, third, … attempt."""
        if error.permanent:
            return cls(str(error), is_rejection=True)
        if error.in_doubt and delivery.in_doubt:
            return cls(TWICE_IN_DOUBT.format(error=error))
        if delivery.attempts >= len(delays):
            return cls(f"Failed after {delivery.attempts + 1} attempts. Last response: {error}")
        return cls(str(error), after=delays[delivery.attempts], in_doubt=error.in_doubt)


class FailureGroup:
    """The failures of the worker that holds `token` which are not recorded yet."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._failures: list[tuple[Delivery, Failure]] = []
        self._since = 0.0

    @property
    def is_due(self) -> bool:
        if not self._failures:
            return False
        return len(self._failures) >= GROUP or time.monotonic() - self._since > WAIT_SECONDS

    def add(self, delivery: Delivery, failure: Failure) -> None:
        if not self._failures:
            self._since = time.monotonic()
        self._failures.append((delivery, failure))

    def record(self) -> list[Delivery]:
        """Record all in one transaction. Return their deliveries."""
        failures = self._failures
        if failures:
            with transaction.atomic():
                self._save(failures)
                record_rejections([(delivery, failure.text) for delivery, failure in failures if failure.is_rejection])
        self._failures = []
        return [delivery for delivery, _ in failures]

    def _save(self, failures: list[tuple[Delivery, Failure]]) -> None:
        ids = defaultdict(list)
        for delivery, failure in failures:
            ids[failure].append(delivery.pk)
        for failure, same in ids.items():
            claimed = Delivery.objects.claimed_by(self._token, same)
            if failure.after is None:
                claimed.mark_failed(failure.text)
            else:
                claimed.mark_deferred(failure.text, after=failure.after, in_doubt=failure.in_doubt)
