"""Copies of the published page: a folder for real, and a bucket that speaks S3."""

import json
import os
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.utils import timezone
from pytest_django import Settings

from incidents.actions.incidents import incident_lifecycle
from incidents.models import Page
from statuspage.publishing import replication
from statuspage.publishing.models import Publication
from statuspage.publishing.page_files import write_hosts
from statuspage.publishing.replication import Replication, TargetSync
from statuspage.publishing.targets import read_targets
from statuspage.publishing.targets.base import Item, TargetConfigError
from tests.factories import ALICE, make_incident, make_maintenance, make_page, make_resolved, post
from tests.publishing.bucket import Bucket
from tests.publishing.folders import page_publisher, published

pytestmark = pytest.mark.django_db


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    made = Bucket()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def static(settings: Settings, tmp_path: Path) -> Path:
    """Two collected files; one is compressed beside."""
    folder = tmp_path / "static"
    (folder / "css").mkdir(parents=True)
    (folder / "css/base.1234.css").write_text("body{}")
    (folder / "css/base.1234.css.gz").write_bytes(b"packed")
    (folder / "icon.5678.svg").write_text("<svg/>")
    (folder / "css/base.css").write_text("never linked to")
    paths = {"css/base.css": "css/base.1234.css", "icon.svg": "icon.5678.svg"}
    (folder / "staticfiles.json").write_text(json.dumps({"paths": paths}))
    settings.STATIC_ROOT = folder
    return folder


def courier(address: str) -> TargetSync:
    (target,) = read_targets([address])
    return TargetSync(target, threading.Event())


def publish(page: Page) -> None:
    write_hosts(Page.objects.order_by("pk"))
    page.refresh_from_db()
    page_publisher(page).update(page)


def to_bucket(bucket: Bucket, folder: str = "") -> TargetSync:
    return courier(f"s3://{bucket.name}{folder}?endpoint={bucket.url}&region=eu-central-1")


def state(target: TargetSync) -> Publication:
    return Publication.objects.get(target=target.target.name)


@pytest.mark.usefixtures("static")
def test_a_folder_becomes_a_web_root_of_plain_files(tmp_path: Path) -> None:
    page = make_page()
    maintenance = make_maintenance(page)
    publish(page)
    root = tmp_path / "www"
    target = courier(f"file://{root}")
    assert target.synchronize()
    lying = {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}
    assert {"index.html", "index.html.gz", "index.html.br", "404.html", "live.json", "history.atom"} <= lying
    assert {f"incidents/{maintenance.public_id}.html", f"incidents/{maintenance.public_id}.ics.br"} <= lying
    assert {"static/css/base.1234.css", "static/css/base.1234.css.gz", "static/icon.5678.svg"} <= lying
    assert "static/css/base.css" not in lying
    assert not [file for file in root.rglob("*") if file.is_symlink()]
    assert (root / "index.html").read_text() == published(page)["/"]
    assert state(target).files == len(published(page)) + 2


def test_a_copy_is_as_old_as_its_original(tmp_path: Path) -> None:
    """From that, readers judge whether the page is stale."""
    page = make_page()
    publish(page)
    original = Path(django_settings.PUBLISHED_DIR) / page.public_id / "current/live.json"
    os.utime(original, (1_700_000_000, 1_700_000_000))
    courier(f"file://{tmp_path}/www").synchronize()
    assert (tmp_path / "www/live.json").stat().st_mtime == 1_700_000_000


@pytest.mark.usefixtures("static")
def test_a_bucket_answers_for_the_paths_that_visitors_ask_for(bucket: Bucket) -> None:
    page = make_page()
    incident = make_incident(page)
    publish(page)
    assert to_bucket(bucket).synchronize()
    body, headers = bucket.objects[f"incidents/{incident.public_id}"]
    assert body.decode() == published(page)[f"/incidents/{incident.public_id}"]
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "stale-if-error" in headers["Cache-Control"]
    assert {"index.html", "404.html", "history", "history.atom", "live.json"} <= bucket.objects.keys()
    assert bucket.objects["history.atom"][1]["Content-Type"] == "application/atom+xml; charset=utf-8"
    _, sheet = bucket.objects["static/css/base.1234.css"]
    assert sheet == {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=31536000, immutable"}
    assert not [headers for _, headers in bucket.objects.values() if "Content-Encoding" in headers]


def test_a_folder_within_a_bucket_keeps_to_itself(bucket: Bucket) -> None:
    publish(make_page())
    to_bucket(bucket, "/our/page").synchronize()
    assert "our/page/index.html" in bucket.objects
    assert {key.split("/")[0] for key in bucket.objects} == {"our"}


def test_only_what_changed_is_sent_and_notes_come_last(bucket: Bucket) -> None:
    page = make_page()
    incident, old = make_incident(page), make_resolved(page)
    publish(page)
    target = to_bucket(bucket)
    target.synchronize()
    assert bucket.puts[-1] == ".candor.json"
    bucket.requests.clear()
    post(incident, body="News!")
    publish(page)
    target.synchronize()
    assert f"incidents/{incident.public_id}" in bucket.puts
    assert not {f"incidents/{old.public_id}", "robots.txt", "404.html"} & set(bucket.puts)
    assert bucket.puts[-3:] == ["index.html", "live.json", ".candor.json"]
    assert b"News!" in bucket.objects["index.html"][0]


def test_nothing_is_asked_of_a_target_while_nothing_is_published(bucket: Bucket) -> None:
    publish(make_page())
    target = to_bucket(bucket)
    target.synchronize()
    bucket.requests.clear()
    assert target.synchronize()
    assert bucket.requests == []


def test_after_a_start_what_lies_there_is_not_sent_again(bucket: Bucket) -> None:
    publish(make_page())
    to_bucket(bucket).synchronize()
    bucket.requests.clear()
    assert to_bucket(bucket).synchronize()
    assert bucket.puts == []


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_what_is_hidden_is_taken_away(kind: str, bucket: Bucket, tmp_path: Path) -> None:
    page = make_page()
    incident = make_incident(page)
    publish(page)
    target = to_bucket(bucket) if kind == "s3" else courier(f"file://{tmp_path}/www")
    target.synchronize()
    incident_lifecycle.hide(incident, reason="By mistake", actor=ALICE)
    publish(page)
    target.synchronize()
    assert f"incidents/{incident.public_id}" not in bucket.objects
    assert not list(tmp_path.glob(f"www/incidents/{incident.public_id}*"))


def test_what_was_put_just_before_a_kill_is_taken_away_too(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    publish(page)
    target = to_bucket(bucket)
    target.synchronize()
    incident = make_incident(page)
    publish(page)
    really = target.target.put

    def killed(item: Item) -> None:
        really(item)
        raise SystemExit

    monkeypatch.setattr(target.target, "put", killed)
    with pytest.raises(SystemExit):
        target.synchronize()
    assert f"incidents/{incident.public_id}" in bucket.objects
    incident_lifecycle.hide(incident, reason="By mistake", actor=ALICE)
    publish(page)
    to_bucket(bucket).synchronize()
    assert f"incidents/{incident.public_id}" not in bucket.objects


def test_a_first_delivery_that_takes_long_goes_on_with_what_is_newest(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = make_page()
    incident = make_incident(page)
    publish(page)
    monkeypatch.setattr(replication, "AT_A_TIME", 0.0)
    target = to_bucket(bucket)
    ticks = iter([0.0, -1.0, -1.0, -1.0] + [1.0] * 1000)
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    target.synchronize()
    assert 0 < len(bucket.puts) < 8
    post(incident, body="News!")
    publish(page)
    monkeypatch.undo()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    target.synchronize()
    assert b"News!" in bucket.objects["index.html"][0]
    assert state(target).published_at


def test_a_failing_target_is_told_to_staff_holds_up_no_other_and_heals(bucket: Bucket, tmp_path: Path) -> None:
    page = make_page()
    publish(page)
    broken, fine = to_bucket(bucket), courier(f"file://{tmp_path}/www")
    bucket.broken = True
    assert not broken.synchronize()
    assert fine.synchronize()
    assert state(broken).failing_since
    assert "503" in state(broken).error
    assert "Debug" not in state(broken).error
    assert not state(fine).error
    assert list(Publication.objects.failing_or_late_copies()) == [state(broken)]
    bucket.broken = False
    assert broken.synchronize()
    assert not state(broken).error
    assert "index.html" in bucket.objects
    assert not Publication.objects.failing_or_late_copies()


def test_a_target_that_was_emptied_is_filled_again(tmp_path: Path) -> None:
    page = make_page()
    publish(page)
    target = courier(f"file://{tmp_path}/www")
    target.synchronize()
    (tmp_path / "www").rename(tmp_path / "gone")
    make_incident(page)
    publish(page)
    target.synchronize()
    assert (tmp_path / "www/robots.txt").exists()


def test_the_second_page_goes_where_it_is_told_to(tmp_path: Path) -> None:
    first, second = make_page(), make_page(name="Other", domain="other.example")
    publish(first)
    publish(second)
    courier(f"file://{tmp_path}/first").synchronize()
    courier(f"file://{tmp_path}/second?page={second.public_id}").synchronize()
    assert "Acme" in (tmp_path / "first/index.html").read_text()
    assert "Other" in (tmp_path / "second/index.html").read_text()


def test_targets_that_are_no_longer_wanted_are_forgotten(settings: Settings) -> None:
    page = make_page()
    Publication.objects.failed(page, "Long gone", target="file:///old")
    Publication.objects.succeeded(page, files=1)
    settings.PUBLISH_TO = []
    Replication(threading.Event()).start()
    assert [publication.target for publication in Publication.objects.all()] == ["folder"]


def test_late_is_what_was_not_published_for_three_minutes() -> None:
    page = make_page()
    for target in ("folder", "file:///copy"):
        Publication.objects.succeeded(page, files=1, target=target)
    assert not Publication.objects.pages_without_current_folder()
    assert not Publication.objects.failing_or_late_copies()
    Publication.objects.update(published_at=timezone.now() - timedelta(minutes=4))
    assert list(Publication.objects.pages_without_current_folder()) == [page]
    assert [publication.target for publication in Publication.objects.failing_or_late_copies()] == ["file:///copy"]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("ftp://example.com", "Targets begin with"),
        ("/srv/www", "Targets begin with"),
        ("file://srv/www", "absolute path"),
        ("file:///", "absolute path"),
        ("file:///srv?region=x", "Unknown option “region”"),
        ("s3://", "Enter a bucket as"),
        ("s3://key:secret@bucket", "Remove the credentials"),
        ("s3://bucket?regoin=x", "Unknown option “regoin”"),
    ],
)
def test_a_wrong_target_is_named_by_the_checks_before_anything_starts(
    address: str, message: str, settings: Settings
) -> None:
    with pytest.raises(TargetConfigError, match=message):
        read_targets([address])
    settings.PUBLISH_TO = [address]
    (error,) = run_checks()
    assert "PUBLISH_TO: " in error.msg


def test_the_same_target_twice_is_refused() -> None:
    with pytest.raises(TargetConfigError, match="twice"):
        read_targets(["file:///srv/www", "file:///srv/www?page=abc"])


def test_a_name_shows_no_options() -> None:
    (target,) = read_targets(["s3://bucket/page?endpoint=https://storage.example&region=x"])
    assert target.name == "s3://bucket/page"
