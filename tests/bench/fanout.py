"""How fast notifications leave, on this machine, as one table:  python -m tests.bench.fanout [--quick]

Everything is real: PostgreSQL with the ledger, Redis, Celery workers, and an SMTP server (tests/fast_smtp_sink.py) in a
process of its own. Ratios are taken within one run: machines differ, and so do the hours of a shared one.
"""

from __future__ import annotations

import argparse
import os
import smtplib
import time
from dataclasses import dataclass
from statistics import median

from tests.bench.stage import Stage, resident, stage
from tests.fast_smtp_sink import share_of
from tests.servers import wait_until

LATENCY = 0.02
ROUNDS = 3


@dataclass
class Sizes:
    mails: int = 40_000
    bare: int = 10_000
    far_mails: int = 8_000
    far_bare: int = 100
    slow_mails: int = 200
    grey_mails: int = 4_000
    invalid_mails: int = 20_000
    subscribers: int = 1_000_000
    backlog: int = 100_000


QUICK = Sizes(
    mails=4000,
    bare=2000,
    far_mails=800,
    far_bare=25,
    grey_mails=400,
    invalid_mails=2000,
    subscribers=40_000,
    backlog=8000,
)
TABLE: list[tuple[str, str, str]] = []


def row(what: str, figure: str, ratio: str = "") -> None:
    TABLE.append((what, figure, ratio))
    print(f"{what:<62} {figure:>22} {ratio}", flush=True)


# The same mail as the workers send, filled beforehand.
PREBUILT = """
from statuspage.notifications.models import Delivery
from statuspage.notifications.messages.notification import read_notification
from statuspage.notifications.transports.email import EmailTransport
delivery = Delivery.objects.select_related("subscriber__page").first()
composed = EmailTransport().compose(delivery, read_notification([delivery.event_id])[delivery.event_id])
open("PATH", "wb").write(composed.template(eight_bit=True, dot_stuffed=False).fill(delivery))
"""


def prebuilt(on: Stage) -> bytes:
    path = on.candor.folder / "mail"
    on.shell(PREBUILT.replace("PATH", str(path)))
    return path.read_bytes()


def bare_loop(on: Stage, mail: bytes, mails: int) -> float:
    """Mails a second of a plain smtplib loop on one kept-open connection."""
    with smtplib.SMTP("127.0.0.1", on.sink.port) as client:
        client.ehlo()
        began = time.monotonic()
        for number in range(mails):
            client.sendmail("status@localhost", [f"reader{number}@bare.example"], mail)
        return mails / (time.monotonic() - began)


def rates(on: Stage, sizes: Sizes) -> None:
    """Rounds of each in turns; the median of each round's ratios: what else the machine does hits all of them alike."""
    on.prepare("one.example", sizes.mails)
    bare, single, double = [], [], []
    for _ in range(ROUNDS):
        on.publish("one.example")
        on.fan_out()
        mail = prebuilt(on)
        bare.append(bare_loop(on, mail, sizes.bare))
        with on.workers(1):
            single.append(on.send_all(sizes.mails, processes=1))
        on.publish("one.example")
        on.fan_out()
        with on.workers(2):
            double.append(on.send_all(sizes.mails, processes=2))
    row(f"smtplib loop, 1 connection, {len(mail):,} octets a mail", _rates(bare))
    row("one worker process, ledger on", _rates(single), f"{_ratio(single, bare)} x the loop")
    row("two worker processes", _rates(double), f"{_ratio(double, single)} x one process")


def _rates(rates: list[float]) -> str:
    return f"{min(rates):,.0f}-{max(rates):,.0f} mails/s"


def _ratio(these: list[float], those: list[float]) -> str:
    ratios = [this / that for this, that in zip(these, those, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def near(on: Stage, sizes: Sizes) -> None:
    """A server that takes a millisecond for each answer, as one that writes to a disk does."""
    on.prepare("near.example", sizes.far_mails)
    on.publish("near.example")
    on.fan_out()
    mail = prebuilt(on)
    on.sink.set(latency=0.001)
    bare = bare_loop(on, mail, sizes.far_bare * 5)
    with on.workers(1):
        rate = on.send_all(sizes.far_mails, processes=1)
    row("at 1 ms: smtplib loop", f"{bare:,.0f} mails/s")
    row("at 1 ms: one worker process", f"{rate:,.0f} mails/s", f"{rate / bare:.1f} x the loop")
    on.sink.set(latency=0)


def far_away(on: Stage, sizes: Sizes) -> None:
    on.prepare("far.example", sizes.far_mails)
    on.publish("far.example")
    on.fan_out()
    mail = prebuilt(on)
    on.shell(CANCEL)
    on.sink.set(latency=LATENCY)
    bare = bare_loop(on, mail, sizes.far_bare)
    row(f"at {LATENCY * 1000:g} ms: smtplib loop", f"{bare:,.1f} mails/s")
    for connections in (4, 16):
        on.publish("far.example")
        on.fan_out()
        mails = sizes.far_mails if connections > 4 else sizes.far_mails // 4
        with on.workers(1, connections=connections):
            rate = on.send_all(mails, processes=1)
        on.shell(CANCEL)
        what = f"at {LATENCY * 1000:g} ms: one worker process, {connections} connections"
        row(what, f"{rate:,.0f} mails/s", f"{rate / bare:.0f} x the loop")
    on.sink.set(latency=0)


def publish_to(on: Stage, domain: str, subscribers: int) -> None:
    on.prepare(domain, subscribers)
    on.publish(domain)
    on.fan_out()


def slow_servers(on: Stage, sizes: Sizes) -> None:
    """A server that greets after 6 s, then one that takes 0.3 s for each reply. Default settings."""
    mails = sizes.slow_mails
    for name, behavior in (("greeting", {"greeting": 6.0}), ("replies", {"latency": 0.3})):
        publish_to(on, f"{name}.example", mails)
        on.sink.set(**behavior)
        with on.workers(1):
            rate = on.send_all(mails, processes=1)
        on.sink.set(greeting=0, latency=0)
        stat = on.sink.stat()
        seconds = stat["last"] - stat["connected"]
        if name == "greeting":
            row(f"greeting after 6 s: {mails} mails", f"{seconds:.1f} s", "from the first connection; goal 10 s")
        else:
            row(f"0.3 s per reply: {mails} mails", f"{rate:.0f} mails/s", f"{seconds:.1f} s; goal 25 mails/s")


OUTCOME = """
import json
from django.db.models import Count
from statuspage.notifications.models import ChannelState, Delivery
states = Delivery.objects.filter(event__page__domain="DOMAIN").values_list("state", "attempts")
states = sorted(states.annotate(Count("pk")).order_by())
print(json.dumps([states, ChannelState.objects.exists()]))
"""


def outcome(on: Stage, domain: str) -> str:
    """Return the numbers of deliveries by state and attempts, and whether the channel was paused."""
    states, was_paused = on.run_json(OUTCOME.replace("DOMAIN", domain))
    texts = [f"{count:,} {state} (attempts: {attempts})" for state, attempts, count in states]
    return ", ".join([*texts, "channel paused" if was_paused else "channel never paused"])


def greylisting(on: Stage, sizes: Sizes) -> None:
    """451 to the first attempt of each mailbox. The first retry is due after a minute."""
    mails = sizes.grey_mails
    publish_to(on, "grey.example", mails)
    on.sink.set(greylist=1)
    with on.workers(1):
        on.send_all(mails, processes=1)
    on.sink.set(greylist=0)
    stat = on.sink.stat()
    waited = f"{stat['first'] - stat['connected']:.0f}-{stat['last'] - stat['connected']:.0f} s"
    row(f"greylisting: {mails:,} mails accepted after", waited, outcome(on, "grey.example"))


def invalid_addresses(on: Stage, sizes: Sizes) -> None:
    """550 to 5 % of the mailboxes, compared with none."""
    rates = []
    for share in (0, 0.05):
        domain = f"invalid{share * 100:.0f}.example"
        publish_to(on, domain, sizes.invalid_mails)
        on.sink.set(refuse=share)
        refused = sum(share_of(f"reader{n}@{domain}".encode()) < share for n in range(1, sizes.invalid_mails + 1))
        with on.workers(1):
            rates.append(on.send_all(sizes.invalid_mails - refused, processes=1))
        on.sink.set(refuse=0)
    row("all addresses valid", f"{rates[0]:,.0f} mails/s")
    row("5 % invalid addresses", f"{rates[1]:,.0f} mails/s", f"{rates[1] / rates[0]:.2f} x; {outcome(on, domain)}")


def big_fan_out(on: Stage, sizes: Sizes) -> None:
    on.prepare("big.example", sizes.subscribers)
    on.publish("big.example")
    seconds, grown = on.fan_out()
    row(f"fan-out of {sizes.subscribers:,} subscribers", f"{seconds:.1f} s", f"memory grew by {grown:.0f} MiB")


CLAIM_COST = """
import json, time
from statistics import median
from statuspage.notifications.models import Delivery
from statuspage.notifications.models.claim_position import ClaimPosition
def claims(new_position):
    times = []
    for _ in range(15):
        position = new_position()
        began = time.perf_counter()
        taken = Delivery.objects.claim("email", token="bench", limit=250, position=position)
        times.append(time.perf_counter() - began)
        Delivery.objects.release("bench", [delivery.pk for delivery in taken])
    return median(times) * 1000
def pages(rows):
    rows = rows.order_by("priority", "next_attempt_at", "pk").values_list("pk", "event_id")[:250]
    plan = json.loads(rows.explain(format="json", analyze=True, buffers=True))[0]["Plan"]
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
position = ClaimPosition()
first = claims(ClaimPosition)
later = claims(lambda: position)
due = Delivery.objects.claimable("email")
print(json.dumps([
    first, pages(due), later, pages(position.part(due, 0)) + pages(position.part(due, 1)),
    Delivery.objects.filter(state="sent").count(),
]))
"""
NO_VACUUM = """
from django.db import connection
connection.cursor().execute("ALTER TABLE notifications_delivery SET (autovacuum_enabled = off)")
"""
MARK_SOME = """
from statuspage.notifications.models import Delivery
ids = list(Delivery.objects.queued().order_by("priority", "next_attempt_at", "pk").values_list("pk", flat=True)[:COUNT])
for start in range(0, len(ids), 1000):
    Delivery.objects.mark_sent(ids[start:start + 1000])
"""


def claim_cost(on: Stage, sizes: Sizes) -> None:
    """Without VACUUM, as in the minute before PostgreSQL starts it."""
    on.shell(NO_VACUUM)
    for done in (0, sizes.subscribers * 4 // 10, sizes.subscribers * 4 // 10):
        on.shell(MARK_SOME.replace("COUNT", str(done)))
        first, first_pages, later, later_pages, sent = on.run_json(CLAIM_COST)
        row(f"first claim of a run, {sent:,} rows sent before", f"{first:.1f} ms", f"{first_pages:,} pages read")
        row(f"next claims of a run, {sent:,} rows sent before", f"{later:.1f} ms", f"{later_pages:,} pages read")


CANCEL = """
from statuspage.notifications.models import Delivery
Delivery.objects.queued().update(state="cancelled")
"""


def memory(on: Stage, sizes: Sizes) -> None:
    on.shell(CANCEL)
    on.prepare("many.example", sizes.backlog)
    on.publish("many.example")
    on.fan_out()
    with on.workers(1) as worker:
        on.sink.reset()
        at_thousand = 0.0
        while (mails := on.sink.stat()["mails"]) < sizes.backlog:
            on.ring(2)
            time.sleep(0.2)
            if mails >= 1000:
                at_thousand = at_thousand or resident(worker.pid)
        grown = resident(worker.pid) - at_thousand
    row(f"worker's memory, from 1,000 to {mails:,} mails", f"+{grown:.0f} MiB", f"from {at_thousand:.0f} MiB")


def first_mail(on: Stage, sizes: Sizes) -> None:
    """With the dispatcher and two workers busy with a backlog of another page, which a slow server keeps up."""
    on.prepare("urgent.example", 50)
    on.publish("many.example")
    on.fan_out()
    on.sink.reset()
    on.sink.set(latency=LATENCY)
    with on.workers(2):
        on.candor.start_dispatcher()
        wait_until(lambda: on.sink.stat()["mails"] >= 500, "the backlog is being sent", seconds=60)
        waits = []
        for _ in range(3):
            on.sink.set(forget_domains=1)
            published = on.publish("urgent.example")
            wait_until(lambda: on.sink.first_to("urgent.example"), "the urgent mail", seconds=60)
            waits.append(on.sink.first_to("urgent.example") - published)
        left = sizes.backlog - on.sink.stat()["mails"]
        on.candor.kill("dispatcher")
    on.sink.set(latency=0)
    waited = f"{max(waits):.2f} s"
    row(f"first mail of a new incident, {left:,} older ones queued", waited, f"worst of {len(waits)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers: shows that it runs, measures little")
    parser.add_argument("--only", default="", help="names of parts, with commas between them")
    options = parser.parse_args()
    sizes = QUICK if options.quick else Sizes()
    parts = [rates, near, far_away, slow_servers, greylisting, invalid_addresses]
    parts += [big_fan_out, claim_cost, memory, first_mail]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    with stage() as on:
        for part in parts:
            if not options.only or part.__name__ in options.only.split(","):
                part(on, sizes)
    print("\n| What | Figure | |\n| --- | ---: | --- |")
    for what, figure, ratio in TABLE:
        print(f"| {what} | {figure} | {ratio} |")


if __name__ == "__main__":
    main()
