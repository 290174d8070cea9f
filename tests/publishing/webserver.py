"""Whoever serves the published folder: the web process alone, and a real nginx with deploy/nginx.conf."""

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.live import ROOT, Candor
from tests.servers import WITH_US, accepts, free_port, missing, stop_process, wait_until

AROUND = """
daemon off;
{processes}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    include {folder}/site.conf;
}}
"""


def start_web(candor: Candor, *, workers: int = 1) -> None:
    """Start front door and app, without a supervisor, which would start the dispatcher too."""
    candor.env["WEB_WORKERS"] = str(workers)
    candor.start("web", "-m", "statuspage.frontdoor")
    candor.start("app", "-m", "statuspage.appserver")
    wait_until(lambda: candor.status("/?x") not in (0, 503), "front door and app answer")


def stop_web(candor: Candor) -> None:
    candor.kill("web")
    candor.kill("app")


@dataclass
class Nginx:
    """deploy/nginx.conf, changed only in its names and places. One process, or a master with `workers`."""

    folder: Path
    data: Path
    application: int
    workers: int = 0
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def write(self) -> Path:
        site = (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8")
        for old, new in (
            ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("server 127.0.0.1:8000;", f"server 127.0.0.1:{self.application};"),
            ("/var/lib/candor/", f"{self.data}/"),
        ):
            assert old in site
            site = site.replace(old, new)
        (self.folder / "site.conf").write_text(site, encoding="utf-8")
        around = self.folder / "nginx.conf"
        around.write_text(AROUND.format(folder=self.folder, processes=self._processes()), encoding="utf-8")
        return around

    def _processes(self) -> str:
        if not self.workers:
            return "master_process off;"
        # Root's workers would become `nobody`, who may not read a temporary folder.
        user = "user root;" if os.geteuid() == 0 else ""
        return f"worker_processes {self.workers}; {user}"

    def start(self) -> None:
        command = ["nginx", "-c", str(self.write())]
        try:
            self.process = subprocess.Popen([*WITH_US, *command], stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            missing("nginx", "nginx")
        wait_until(lambda: accepts(self.port), "nginx answers")

    def stop(self) -> None:
        if self.process:
            stop_process(self.process)
