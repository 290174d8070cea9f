"""The capacity model of docs/scaling.md as plain functions. Its coefficients are in one place, and the table there."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Coefficients:
    """Measured on two cores. Rates are per second. Replace them with the figures of your machine."""

    # tests.bench.fanout: 1,000,000 rows in 16.8 s.
    fanned_out: float = 59_500
    # tests.bench.fanout: claim, check, compose, send, mark, with one worker process and a server that answers at once.
    emails_per_process: float = 7_700
    # Processor seconds of PostgreSQL per email: claim, check and mark.
    database_seconds: float = 0.000_095
    # Processor seconds of the worker, PostgreSQL and the mail server together per email.
    email_seconds: float = 0.000_239
    # Round trips per email on one connection, with pipelining: 656 emails/s over 16 connections at 20 ms.
    round_trips: float = 1.22
    # tests.bench.pages, two processes.
    pages_per_process: float = 26_800
    nginx_pages_per_process: float = 31_900
    # docs/performance.md: the home page with all headers, compressed.
    bytes_per_page: float = 4_500
    # tests.bench.publishing: processor seconds of an update with 200 components and 10,000 past incidents,
    # and of the clock paths of a minute.
    publish_seconds: float = 0.33
    refresh_seconds: float = 0.10


MEASURED = Coefficients()


def fan_out_seconds(deliveries: int, by: Coefficients = MEASURED) -> float:
    return deliveries / by.fanned_out


def emails_per_second(
    processes: int, connections: int, latency: float, cores: float = math.inf, by: Coefficients = MEASURED
) -> float:
    """Return the rate of that many processes with that many connections each.

    `latency` is the mail server's response time in seconds. Workers, database and mail server share `cores`.
    """
    own = by.emails_per_process
    if latency:
        own = min(own, connections / (latency * by.round_trips))
    return min(processes * own, cores / by.email_seconds)


def processes_needed(deliveries: int, within: float, connections: int, latency: float) -> int:
    """Return the worker processes that send `deliveries` within that many seconds."""
    return -int(-deliveries // (within * emails_per_second(1, connections, latency)))


def database_cores(emails: float, by: Coefficients = MEASURED) -> float:
    """Return the cores of PostgreSQL that so many emails a second use."""
    return emails * by.database_seconds


def front_door_processes(requests: float, by: Coefficients = MEASURED) -> float:
    return requests / by.pages_per_process


def gigabits(requests: float, by: Coefficients = MEASURED) -> float:
    return requests * by.bytes_per_page * 8 / 1e9


def publisher_load(pages: int, updates_per_hour: float, by: Coefficients = MEASURED) -> float:
    """Return the cores that publishing uses: each page once a minute, and `updates_per_hour` on all pages together."""
    return pages * by.refresh_seconds / 60 + updates_per_hour * by.publish_seconds / 3600
