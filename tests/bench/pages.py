"""The published page: how fast, how heavy, how steady.

    python -m tests.bench.pages [--seconds 4] [--rounds 3]

makes a page with 40 components, their 90-day bars and a few incidents, and publishes it. The front door (two workers)
and nginx (deploy/nginx.conf, two workers) serve the same folder, and wrk (`apt-get install wrk`) requests from each in
turns: `/` whole, then `/` with the ETag that it just got; first quietly, then with one core kept busy by a process.
After that, `/?x`, which Django renders each time, with two connections: of 64, most would only wait. Then a first visit
in Chromium. Goals: the front door at least 0.50 times nginx's requests in both, p99 at most 1.5 times nginx's, two
workers within 160 MB; `/` within
8 KB gzipped, a first visit within 14 KB in three requests, and nothing that moves. What publishing costs is
tests.bench.publishing.
"""

import argparse
import http.client
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from tests.live import Candor
from tests.publishing.webserver import Nginx, start_web
from tests.servers import CHROMIUM, CHROMIUM_ARGS

FILL = """
from tests.public.test_cost import a_lively_page, fill_the_bars
page, past = a_lively_page()
fill_the_bars(page)
print(past.public_id)
"""
WORKERS, CONNECTIONS = 2, 64
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
SHIFTS = """() => new Promise(done => {
    let sum = 0
    const watch = new PerformanceObserver(list => list.getEntries().forEach(one => { sum += one.value }))
    watch.observe({type: "layout-shift", buffered: true})
    setTimeout(() => done(sum), 500)
})"""


@dataclass
class Load:
    """Of one server and one question: a figure for each turn."""

    per_second: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    wrong: int = 0


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        candor, beside = Candor(Path(folder)), Path(folder) / "nginx"
        beside.mkdir()
        code = publish(candor)
        nginx = Nginx(beside, candor.folder / "data", candor.port, workers=WORKERS)
        start_web(candor, workers=WORKERS)
        try:
            nginx.start()
            under_load(candor, nginx, seconds=options.seconds, rounds=options.rounds)
            with busy_core():
                under_load(candor, nginx, seconds=options.seconds, rounds=options.rounds, kind=", one core busy")
            weights(candor, ["/", f"/incidents/{code}", "/history", "/api/v2/summary.json"])
            visits(candor, ["/", f"/incidents/{code}"])
        finally:
            nginx.stop()
            candor.stop()
    return 0


def publish(candor: Candor) -> str:
    """The code of an incident with a postmortem."""
    candor.manage("migrate", "-v0")
    candor.manage("createcachetable")
    code = candor.manage("shell", "-v0", "-c", FILL).split()[-1]
    candor.manage("setup")
    candor.manage("publish")
    return code


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that computes all the time."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def under_load(candor: Candor, nginx: Nginx, *, seconds: int, rounds: int, kind: str = "") -> None:
    servers = {"front door": candor.url + "/", "nginx": nginx.url + "/"}
    loads = {(what, name): Load() for what in ("200", "304") for name in servers}
    rendered = Load()
    for _ in range(rounds):
        for (what, name), load in loads.items():
            tag = [f"If-None-Match: {etag(servers[name])}"] if what == "304" else []
            wrk(servers[name], load, tag, seconds=seconds)
    sizes = workers_of(candor.processes["web"].pid)
    # Last: what wrk leaves behind in the queue would be the next one's burden.
    for _ in range(rounds):
        wrk(candor.url + "/?x", rendered, [], seconds=seconds, connections=WORKERS)
    say("| `/` | Server | Requests/s | of nginx | p99 ms | of nginx | wrong |")
    say("| --- | --- | --- | --- | --- | --- | --- |")
    for (what, name), load in [*loads.items(), (("200", "Django, not published"), rendered)]:
        speed, slow = (compared(load, loads[what, "nginx"], of) for of in ("per_second", "p99"))
        fast, p99 = median(load.per_second), median(load.p99)
        say(f"| {what}{kind} | {name} | {fast:,.0f} | {speed:.3f} | {p99:.1f} | {slow:.2f} | {load.wrong} |")
    say(f"\nRSS of the {len(sizes)} workers: {sum(sizes):.0f} MB ({', '.join(f'{size:.0f}' for size in sizes)})\n")


def compared(load: Load, other: Load, figure: str) -> float:
    """Turn by turn, because the machine is not equally busy in all of them."""
    pairs = zip(getattr(load, figure), getattr(other, figure), strict=True)
    ratio: float = median(first / second for first, second in pairs)
    return ratio


def wrk(url: str, load: Load, headers: list[str], *, seconds: int, connections: int = CONNECTIONS) -> None:
    named = [part for line in ["Accept-Encoding: gzip", *headers] for part in ("-H", line)]
    command = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", *named, url]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    load.per_second.append(float(search(r"Requests/sec:\s+([\d.]+)", text)[1]))
    slow = search(r"99%\s+([\d.]+)(us|ms|s)", text)
    load.p99.append(float(slow[1]) * UNITS[slow[2]])
    load.wrong += sum(int(number) for number in re.findall(r"Non-2xx or 3xx responses: (\d+)", text))
    for errors in re.findall(r"Socket errors: (.+)", text):
        load.wrong += sum(int(number) for number in re.findall(r"\d+", errors))


def search(pattern: str, text: str) -> re.Match[str]:
    match = re.search(pattern, text)
    assert match, text
    return match


def workers_of(parent: int) -> list[float]:
    """Resident megabytes of each granian worker, the largest first; its resource tracker is none."""
    sizes = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(lines["PPid"]) == parent and "VmRSS" in lines:
            sizes.append(int(lines["VmRSS"].split()[0]) / 1024)
    return sorted(sizes, reverse=True)[:WORKERS]


def etag(url: str) -> str:
    return ask(url, "gzip")[1]


def ask(url: str, coding: str) -> tuple[int, str]:
    """Bytes of the body as sent, and the ETag."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc, timeout=10)
    connection.request("GET", where.path, headers={"Accept-Encoding": coding})
    answer = connection.getresponse()
    assert answer.status == 200
    size, tag = len(answer.read()), answer.headers["ETag"]
    connection.close()
    return size, tag


def weights(candor: Candor, paths: list[str]) -> None:
    say("| Path | Bytes | gzip | br |")
    say("| --- | --- | --- | --- |")
    for path in paths:
        sizes = [ask(candor.url + path, coding)[0] for coding in ("identity", "gzip", "br")]
        say(f"| `{path}` | {' | '.join(f'{size:,}' for size in sizes)} |")
    say("")


def visits(candor: Candor, paths: list[str]) -> None:
    say("| First visit | Requests | Bytes on the wire, with headers | Layout shift at 390, 1280 px | Other origins |")
    say("| --- | --- | --- | --- | --- |")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        for path in paths:
            urls, size, shift = visit(browser, candor.url + path, width=1280)
            _, _, narrow = visit(browser, candor.url + path, width=390)
            strangers = sum(not url.startswith(candor.url) for url in urls)
            names = ", ".join(urlsplit(url).path.rsplit("/", 1)[-1] or "/" for url in urls)
            say(f"| `{path}` | {len(urls)} ({names}) | {size:,} | {narrow:.3f}, {shift:.3f} | {strangers} |")
        browser.close()


def visit(browser: Browser, url: str, *, width: int) -> tuple[list[str], int, float]:
    """What a browser with an empty cache asked for, the bytes that came, and how far things moved."""
    context = browser.new_context(viewport={"width": width, "height": 800})
    tab = context.new_page()
    wire = context.new_cdp_session(tab)
    requested: list[str] = []
    sizes: list[float] = []

    def note(url: str) -> None:
        # An image that stands in the style sheet itself is no request.
        if not url.startswith("data:"):
            requested.append(url)

    wire.on("Network.requestWillBeSent", lambda event: note(event["request"]["url"]))
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    tab.goto(url, wait_until="networkidle")
    shift: float = tab.evaluate(SHIFTS)
    context.close()
    return requested, round(sum(sizes)), shift


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
