"""Sign-ups for one address from many networks: what they cost, and how many mails they cause.

    python -m tests.bench.signup [--requests 10000] [--networks 1000] [--clients 8]

Runs the real product (SQLite, its own folder) and posts the public form, each request in the name of one of the
networks. Prints how long the answers took and what the ledger owes. Beside it, in the same run, a tenth as many posts
that the form refuses, which write nothing: the difference is the price of signing up.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from tests.live import Candor

ADDRESS = "ada@example.com"
KNOBS = {
    "TRUSTED_PROXIES": "1",
    "SUBSCRIBE_LIMIT_PER_IP": "1000000",
    "SUBSCRIBE_LIMIT_PER_DOMAIN": "1000000",
    "SUBSCRIBE_LIMIT_GLOBAL": "1000000",
    "WEB_WORKERS": "2",
}


@dataclass
class Result:
    name: str
    seconds: list[float] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)

    def row(self) -> str:
        cuts = quantiles(self.seconds, n=100)
        figures = (median(self.seconds), cuts[94], cuts[98], max(self.seconds))
        codes = ", ".join(map(str, sorted(self.statuses)))
        return f"{self.name:<28}{len(self.seconds):>8}  {codes:<8}" + "".join(
            f"{1000 * figure:>9.1f}" for figure in figures
        )


def network(number: int) -> str:
    return f"198.18.{number // 250}.{number % 250 + 1}"


def post_all(candor: Candor, name: str, body: str, *, requests: int, networks: int, clients: int) -> Result:
    """`requests` posts of `body` over `clients` connections that stay open."""
    result, lock = Result(name), threading.Lock()

    def work(start: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", candor.port, timeout=60)
        for number in range(start, requests, clients):
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Forwarded-For": network(number % networks),
            }
            began = time.perf_counter()
            connection.request("POST", "/subscribe", body, headers)
            answer = connection.getresponse()
            answer.read()
            took = time.perf_counter() - began
            with lock:
                result.seconds.append(took)
                result.statuses.add(answer.status)
        connection.close()

    threads = [threading.Thread(target=work, args=(start,)) for start in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return result


def owed(candor: Candor) -> str:
    """How many deliveries and subscribers there are for the address."""
    counting = (
        "from statuspage.notifications.models import Delivery; from statuspage.subscribers.models import Subscriber;"
        f"print(Delivery.objects.filter(subscriber__email={ADDRESS!r}).count(),"
        f"Subscriber.objects.filter(email={ADDRESS!r}).count())"
    )
    return candor.manage("shell", "-v", "0", "-c", counting).strip().splitlines()[-1]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--networks", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=8)
    options = vars(parser.parse_args())
    fewer = options | {"requests": max(100, options["requests"] // 10)}
    with tempfile.TemporaryDirectory() as folder:
        candor = Candor(Path(folder), env=dict(KNOBS))
        try:
            candor.serve()
            results = [
                post_all(candor, "refused (not an address)", urlencode({"email": "ada"}), **fewer),
                post_all(candor, "one address, many networks", urlencode({"email": ADDRESS}), **options),
            ]
            mails, subscribers = owed(candor).split()
        finally:
            candor.stop()
    head = f"{'':<28}{'posts':>8}  {'status':<8}{'median':>9}{'95 %':>9}{'99 %':>9}{'slowest':>9}   ms"
    foot = f"mails to {ADDRESS}: {mails}; subscribers: {subscribers}"
    sys.stdout.write("\n".join([head, *(result.row() for result in results), foot, ""]))
    return 0 if mails == "1" else 1


if __name__ == "__main__":
    sys.exit(main())
