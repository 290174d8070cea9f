"""Independent clients of Statuspage's public API, as their authors published them, against a live server of ours."""

import http.client
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from incidents.models import Page
from tests.live import Candor
from tests.servers import missing

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients of package-lock.json, made by npm as for anybody; no script of theirs is run."""
    if not shutil.which("npm") or not shutil.which("node"):
        missing("Node.js with npm", "nodejs npm")
    folder = tmp_path_factory.mktemp("clients")
    for name in ("package.json", "package-lock.json", "read_v2.cjs"):
        shutil.copy(HERE / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_client_for_node_reads_what_is_on_the_page(packages: Path, page: Page, live_server: Any) -> None:
    command = ["node", "read_v2.cjs", live_server.url]
    done = subprocess.run(command, cwd=packages, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    payloads = json.loads(done.stdout)
    assert {body["page"]["id"] for body in payloads.values()} == {page.public_id}
    assert payloads["status"]["status"] == {"indicator": "minor", "description": "Minor Service Outage"}
    assert [row["name"] for row in payloads["components"]["components"]] == ["Core", "API", "Website"]
    assert [row["name"] for row in payloads["incidents"]["incidents"]] == ["Slow answers", "Over"]
    (incident,) = payloads["unresolved"]["incidents"]
    assert [update["body"] for update in incident["incident_updates"]] == ["Half of them.", "We are looking."]
    assert [row["name"] for row in payloads["upcoming"]["scheduled_maintenances"]] == ["Upgrade"]
    assert payloads["summary"]["incidents"] == payloads["unresolved"]["incidents"]


class Shop(BaseHTTPRequestHandler):
    """A page that shows the widget, and the widget's script; `status` is where the page's status is."""

    folder = Path()
    status = ""

    def do_GET(self) -> None:
        is_script = self.path == "/widget.js"
        kind = "text/javascript" if is_script else "text/html; charset=utf-8"
        body = (self.folder / "dist/index.js").read_bytes() if is_script else self.shop()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def shop(self) -> bytes:
        widgets = f'<statuspage-widget src="{self.status}"></statuspage-widget>'
        badge = f'<statuspage-widget src="{self.status}" appearance="badge"></statuspage-widget>'
        return f"<!DOCTYPE html><title>Shop</title>{widgets}{badge}<script src=/widget.js></script>".encode()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shop(packages: Path, live_server: Any) -> Iterator[str]:
    widget = packages / "node_modules/@statuspage/status-widget"
    handler = type("OurShop", (Shop,), {"folder": widget, "status": live_server.url})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.xdist_group("chromium")
def test_the_widget_for_browsers_shows_the_headline_on_a_site_of_another_origin(
    page: Page, shop: str, browser: Browser
) -> None:
    context = browser.new_context()
    tab = context.new_page()
    tab.goto(shop)
    plain, badge = tab.locator("statuspage-widget").all()
    expect(plain.locator(".status-text")).to_have_text("Minor Service Outage")
    expect(plain.locator(".status-indicator")).to_have_class("status-indicator minor")
    expect(badge).to_contain_text("Minor Service Outage")
    context.close()


def test_the_product_itself_answers_head_and_two_slashes_and_a_capital_letter(candor: Candor) -> None:
    candor.serve()
    for path in ("/api/v2/summary.json", "//api/v2/incidents.json", "/api/v2/Incidents.json"):
        answers = []
        for method in ("GET", "HEAD"):
            connection = http.client.HTTPConnection("127.0.0.1", candor.port, timeout=10)
            connection.request(method, path)
            answer = connection.getresponse()
            answers.append((answer.status, answer.headers["Content-Type"], len(answer.read()) > 0))
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            connection.close()
        kind = "application/json; charset=utf-8"
        assert answers == [(200, kind, True), (200, kind, False)], path
