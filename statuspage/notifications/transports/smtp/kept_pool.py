"""Keeps the SMTP connections of a run for the next run in the same process."""

from __future__ import annotations

import atexit
import os
import threading

from statuspage.notifications.transports.smtp.pool import SmtpPool

# Unused connections are closed after this time. Servers limit their number, and other processes need some too.
KEEP_SECONDS = 10.0


class KeptPool:
    """At most one pool that no run uses."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: SmtpPool | None = None
        self._timer: threading.Timer | None = None

    def take(self) -> SmtpPool:
        """Return the kept pool, or a new one. The caller has it alone until `keep`."""
        pool = self._remove()
        if pool is None:
            return SmtpPool()
        pool.begin_run()
        return pool

    def keep(self, pool: SmtpPool) -> None:
        """Keep `pool` for KEEP_SECONDS. Close it if it has no usable connection or if another one is kept."""
        if pool.end_run():
            with self._lock:
                if self._pool is None:
                    self._pool = pool
                    self._timer = threading.Timer(KEEP_SECONDS, self._expire, args=[pool])
                    self._timer.daemon = True
                    self._timer.start()
                    return
        pool.close()

    def close(self) -> None:
        """Close the kept connections, if any."""
        if pool := self._remove():
            pool.close()

    def forget(self) -> None:
        """Forget the pool of the parent process after a fork."""
        pool = self._pool
        self.__init__()  # type: ignore[misc]  # the lock may have been held at the fork
        if pool:
            pool.close_files()

    def _remove(self) -> SmtpPool | None:
        with self._lock:
            pool, self._pool = self._pool, None
            if self._timer:
                self._timer.cancel()
            return pool

    def _expire(self, pool: SmtpPool) -> None:
        with self._lock:
            if self._pool is not pool:
                return
            self._pool = None
        pool.close()


KEPT_POOL = KeptPool()
atexit.register(KEPT_POOL.close)
os.register_at_fork(after_in_child=KEPT_POOL.forget)
