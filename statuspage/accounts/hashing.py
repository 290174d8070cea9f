"""Limits how many passwords a process hashes at once. A hash costs about 0.4 s of one core, by design.

Without the limit, wrong sign-ins could occupy every core and every thread.
"""

import contextlib
import threading
from collections.abc import Iterator

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.exceptions import ValidationError

AT_ONCE = 2
WAITING = 2
WAIT_SECONDS = 3.0

_admitted = threading.BoundedSemaphore(AT_ONCE + WAITING)
_hashing = threading.BoundedSemaphore(AT_ONCE)


class HashingBusyError(ValidationError):
    """A form shows it as an error; elsewhere the middleware responds with 503."""

    def __init__(self) -> None:
        super().__init__("Too many people are signing in. Try again in a few seconds.")


@contextlib.contextmanager
def slot() -> Iterator[None]:
    """Wait for one of AT_ONCE slots. HashingBusyError if WAITING others already wait, or after WAIT_SECONDS."""
    if not _admitted.acquire(blocking=False):
        raise HashingBusyError
    try:
        if not _hashing.acquire(timeout=WAIT_SECONDS):
            raise HashingBusyError
        try:
            yield
        finally:
            _hashing.release()
    finally:
        _admitted.release()


class LimitedHasher(PBKDF2PasswordHasher):
    """Django's default. Its hashes are stored under the same name."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with slot():
            return super().encode(password, salt, iterations)
