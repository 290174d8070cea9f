"""Run tests/fast_smtp_sink.py as a process and control it."""

import json
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from tests.live import ROOT
from tests.servers import WITH_US, free_port, stop_process, wait_until


@dataclass
class FastSink:
    port: int = field(default_factory=free_port)
    control_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [*WITH_US, sys.executable, "-m", "tests.fast_smtp_sink", str(self.port), str(self.control_port)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        wait_until(self._is_ready, "the sink answers")

    def stop(self) -> None:
        if self.process:
            stop_process(self.process)

    def set(self, **settings: float) -> None:
        """See tests.fast_smtp_sink.Behavior."""
        for name, value in settings.items():
            self._request(f"set {name} {value}")

    def reset(self) -> None:
        """Delete the received emails."""
        self._request("reset")

    def hang_up_idle(self, *, farewell: bool) -> None:
        """Close all open connections. `farewell`: with a 421."""
        self._request(f"hang_up {'421' if farewell else 'silently'}")

    def stat(self) -> dict[str, Any]:
        return dict(self._request("stat"))

    def copies(self) -> dict[int, int]:
        """Return how many emails (by Message-ID) were received once, twice, …"""
        return {int(times): count for times, count in self._request("copies").items()}

    def first_to(self, domain: str) -> float:
        """Return the time.monotonic() of the first email to `domain`; 0 if there is none."""
        return float(self._request(f"first {domain}"))

    def _is_ready(self) -> bool:
        try:
            self.stat()
        except OSError:
            return False
        return True

    def _request(self, line: str) -> Any:
        with (
            socket.create_connection(("127.0.0.1", self.control_port), timeout=60) as talk,
            talk.makefile("rw") as lines,
        ):
            lines.write(line + "\n")
            lines.flush()
            return json.loads(lines.readline())
