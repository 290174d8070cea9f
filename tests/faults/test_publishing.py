"""Publishers that are killed, doubled, or without their database: readers never see a half, and all of it heals."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from statuspage.publishing.generation_writer import Tree
from tests.faults.fleet import say
from tests.live import ROOT, Candor
from tests.publishing.bucket import Bucket
from tests.publishing.folders import shown, stray
from tests.publishing.webserver import start_web
from tests.servers import WITH_US, Postgres, accepts, stop_process, wait_until

KILLS = int(os.environ.get("CANDOR_KILLS", "20"))

# Reads a line, forks one that publishes without a pause, and says its pid: a start costs no second.
NURSERY = """
import os, signal, sys
import django
django.setup()
from django.db import connection
from incidents.actions.incidents.incident_lifecycle import post_update
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM
from incidents.models import Incident, Page
from statuspage.public import published_paths
from statuspage.publishing.page_files import PageFiles, tree_of
signal.signal(signal.SIGCHLD, signal.SIG_IGN)

def publish():
    page, incident = Page.objects.get(), Incident.objects.order_by("pk").last()
    files = PageFiles(page, tree_of(page.public_id), published_paths)
    number = 0
    while True:
        number += 1
        update = UpdateInput(status="identified", body=f"Number {number} of {os.getpid()}")
        post_update(incident, update, actor=SYSTEM)
        files.rebuild() if number % 3 == 0 else files.publish_events()

first = Page.objects.get()
PageFiles(first, tree_of(first.public_id), published_paths).publish_events()
for line in sys.stdin:
    connection.close()
    child = os.fork()
    if not child:
        publish()
    print(child, flush=True)
"""
PREPARE = """
from incidents.actions.components.component_lifecycle import create_component
from incidents.actions.incidents.incident_lifecycle import open_incident
from incidents.actor import SYSTEM
from incidents.models import Page
page = Page.objects.get()
api = create_component(page, name="REST API", actor=SYSTEM)
for number in range(8):
    what = {"title": f"Incident {number}", "body": "We look.", "components": {api: "major_outage"}}
    open_incident(page, **what, actor=SYSTEM)
"""
POST = """
from incidents.actions.incidents.incident_lifecycle import post_update
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM
from incidents.models import Incident
post_update(Incident.objects.order_by("pk").last(), UpdateInput(status="identified", body="{}"), actor=SYSTEM)
"""


@pytest.fixture
def product(candor: Candor) -> Candor:
    candor.env["PAGE_NAME"] = "Acme"
    candor.manage("setup")
    candor.manage("shell", "-v0", "-c", PREPARE)
    return candor


def post(candor: Candor, text: str) -> None:
    candor.manage("shell", "-v0", "-c", POST.format(text))


def tree(candor: Candor) -> Tree:
    published = candor.folder / "data/public/published"
    (root,) = [folder for folder in published.iterdir() if folder.is_dir() and not folder.is_symlink()]
    return Tree(root)


def is_dead(pid: int) -> bool:
    return not Path(f"/proc/{pid}/stat").exists()


def shows(candor: Candor, text: str) -> bool:
    return text in shown_whole(candor)["/"]


@pytest.fixture
def nursery(product: Candor) -> Iterator[subprocess.Popen[bytes]]:
    environment = product.environment | {"DJANGO_SETTINGS_MODULE": "statuspage.settings", "LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(
        [*WITH_US, sys.executable, "-c", NURSERY],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    yield process
    assert process.stdin
    assert process.stdout
    process.stdin.close()
    stop_process(process)
    process.stdout.close()


def test_a_publisher_that_is_killed_anywhere_leaves_a_whole_page(
    product: Candor, nursery: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    assert nursery.stdin
    assert nursery.stdout
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    halves = 0
    for _ in range(KILLS):
        nursery.stdin.write(b"\n")
        nursery.stdin.flush()
        pid = int(nursery.stdout.readline())
        time.sleep(dice.uniform(0.02, 0.8))
        os.kill(pid, signal.SIGKILL)
        wait_until(partial(is_dead, pid), "it is dead")
        published = tree(product)
        halves += bool(list(published.root.rglob("*.part")))
        assert published.current
        assert "Incident 7" in shown(published)["/"], f"seed {seed}"
        assert not stray(published), f"seed {seed}"
    say(capsys, f"publisher killed {KILLS} times (seed {seed}): {halves} in the middle of a draft, no page half")
    assert halves
    product.manage("publish")
    post(product, "After all that")
    product.start_dispatcher()
    wait_until(lambda: "After all that" in shown_whole(product)["/"], "it goes on")
    assert not list(tree(product).root.rglob("*.part"))


def shown_whole(candor: Candor) -> dict[str, str]:
    """While a publisher runs, a folder can be swept under a slow reader. Such a reader looks again."""
    while True:
        try:
            return shown(tree(candor))
        except FileNotFoundError:
            continue


def test_two_dispatchers_on_one_folder_stand_back_for_each_other(product: Candor) -> None:
    for name in ("one", "two"):
        product.start(name, "manage.py", "dispatch")
    wait_until(lambda: (product.folder / "data/public/published/hosts.json").exists(), "something is published")
    for number in range(4):
        post(product, f"Update {number}")
        wait_until(partial(shows, product, f"Update {number}"), "it is published")
    wait_until(lambda: len(shown_whole(product)) > 20, "the incidents are published")
    assert "could not be published" not in product.log
    assert "Traceback" not in product.log


def test_a_target_that_is_down_for_a_while_delays_no_other_and_is_brought_up_to_date(product: Candor) -> None:
    bucket, www = Bucket(), product.folder / "www"
    bucket.broken = True
    bucket.start()
    product.env |= {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "secret"}
    product.env["PUBLISH_TO"] = f"s3://{bucket.name}?endpoint={bucket.url}&region=here file://{www}"
    try:
        product.start_dispatcher()
        wait_until((www / ".candor.json").exists, "the folder is delivered to", seconds=40)
        post(product, "While the bucket is down")
        wait_until(lambda: "While the bucket is down" in (www / "index.html").read_text(), "the folder has the news")
        assert bucket.requests
        assert not bucket.objects
        bucket.broken = False
        wait_until(lambda: "index.html" in bucket.objects, "the bucket is delivered to", seconds=60)
        assert b"While the bucket is down" in bucket.objects["index.html"][0]
        assert any(key.startswith("static/css/") for key in bucket.objects)
    finally:
        product.stop()
        bucket.stop()


def test_without_its_database_the_page_stays_up_quietly_and_goes_on_when_it_is_back(candor: Candor) -> None:
    postgres = Postgres()
    postgres.start()
    candor.env |= {"DATABASE_URL": postgres.create("away"), "PAGE_NAME": "Acme"}
    try:
        candor.manage("setup")
        candor.manage("shell", "-v0", "-c", PREPARE)
        candor.manage("publish")
        start_web(candor)
        candor.start_dispatcher()
        assert postgres.process
        command = postgres.process.args
        stop_process(postgres.process, number=signal.SIGINT)
        wait_until(lambda: "Cannot publish at the moment" in candor.log, "the publisher has noticed", seconds=30)
        time.sleep(4)
        assert candor.log.count("Cannot publish at the moment") == 1
        for path in ("/", "/history", "/history.atom", "/live.json"):
            assert candor.get(path), path
        postgres.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd="/")
        wait_until(lambda: accepts(postgres.port), "PostgreSQL answers")
        wait_until(lambda: posted(candor), "it takes an update")
        wait_until(lambda: "It is back." in candor.get("/"), "the update is published", seconds=40)
    finally:
        candor.stop()
        postgres.stop()


def posted(candor: Candor) -> bool:
    try:
        post(candor, "It is back.")
    except AssertionError:  # still starting up
        return False
    return True
