"""Run the product as processes, as an operator does: the supervisor of bin/serve, or single processes."""

import atexit
import functools
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers import WITH_US, free_port, stop_process, wait_until

ROOT = Path(__file__).resolve().parent.parent
SLOW_STEPS = (
    "from django.core.management import call_command; call_command('migrate', verbosity=0);"
    "from statuspage.console.management.commands.setup import collect_static; collect_static()"
)


@functools.cache
def prepared_data() -> Path:
    """Return a data folder with an empty SQLite database and the static files, made once per test process."""
    folder = Path(tempfile.mkdtemp(prefix="candor-data-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    maker = Candor(folder, is_prepared=False)
    maker.manage("shell", "--no-imports", "-c", SLOW_STEPS)
    (folder / "data/private/secret_key").unlink()
    return folder / "data"


@dataclass
class Candor:
    """`env`: settings (DATABASE_URL, REDIS_URL, EMAIL_URL …) in addition to the data folder and the port.

    `is_prepared`: the data folder begins with a migrated database and static files, which take `setup` 5 s of CPU.
    """

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    is_prepared: bool = True
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        knobs = {"DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL", "SECRET_KEY", "HOST"}
        knobs |= {"PUBLISH_TO", "PUBLISHED_DIR"}
        inherited = {name: value for name, value in os.environ.items() if name not in knobs}
        own = {"DATA_DIR": str(self.folder / "data"), "PORT": str(self.port), "ENV_FILE": os.devnull}
        return {**inherited, **own, "PYTHONUNBUFFERED": "1", **self.env}

    @property
    def log(self) -> str:
        return (self.folder / "candor.log").read_text(encoding="utf-8", errors="replace")

    def manage(self, *arguments: str) -> str:
        """Run a management command and return its output."""
        self.prepare()
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        text = done.stdout.decode(errors="replace")
        assert done.returncode == 0, text
        return text

    def prepare(self) -> None:
        data = self.folder / "data"
        if self.is_prepared and not data.exists():
            shutil.copytree(prepared_data(), data)

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start `python <command>` under `name`, in a process group of its own."""
        with (self.folder / "candor.log").open("ab") as log:
            process = subprocess.Popen(
                [*WITH_US, sys.executable, *command],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def serve(self) -> None:
        """Start the product with its supervisor; returns when the page responds."""
        self.prepare()
        self.start("supervisor", "-m", "statuspage.supervisor")
        self.starts += 1
        wait_until(lambda: self.log.count("Candor is running") >= self.starts, "Candor starts", seconds=60)

    def start_dispatcher(self) -> subprocess.Popen[bytes]:
        return self.start("dispatcher", "manage.py", "dispatch")

    def start_worker(self, name: str = "worker", *, processes: int = 2) -> subprocess.Popen[bytes]:
        options = ["worker", "--concurrency", str(processes), "--hostname", f"{name}@%h", "--loglevel", "warning"]
        options += ["--without-gossip", "--without-mingle"]
        return self.start(name, "-m", "celery", "--app", "statuspage.celery:app", *options)

    def kill(self, name: str) -> None:
        """Kill the process group with SIGKILL, as the out-of-memory killer does."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        for process in self.processes.values():
            stop_process(process, seconds=12)
        self.processes.clear()

    @property
    def password(self) -> str:
        """The generated password of the owner, as printed on the first start."""
        match = re.search(r"password\s+(\S+)", self.log)
        assert match, self.log
        return match.group(1)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def status(self, path: str) -> int:
        """The status of a response, or 0 if there is none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
