"""tests/fast_smtp_sink.py as a process, and talking to it."""

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
        wait_until(self._answers, "the sink answers")

    def stop(self) -> None:
        if self.process:
            stop_process(self.process)

    def set(self, **whims: float) -> None:
        """See tests.fast_smtp_sink.Whims."""
        for name, value in whims.items():
            self._ask(f"set {name} {value}")

    def reset(self) -> None:
        """Forget what came."""
        self._ask("reset")

    def stat(self) -> dict[str, Any]:
        return dict(self._ask("stat"))

    def copies(self) -> dict[int, int]:
        """How many mails (told by their Message-ID) came once, twice, …"""
        return {int(times): count for times, count in self._ask("copies").items()}

    def first_to(self, domain: str) -> float:
        """When the first mail to `domain` came, by time.monotonic(); 0 if none did."""
        return float(self._ask(f"first {domain}"))

    def _answers(self) -> bool:
        try:
            self.stat()
        except OSError:
            return False
        return True

    def _ask(self, line: str) -> Any:
        with (
            socket.create_connection(("127.0.0.1", self.control_port), timeout=60) as talk,
            talk.makefile("rw") as lines,
        ):
            lines.write(line + "\n")
            lines.flush()
            return json.loads(lines.readline())
