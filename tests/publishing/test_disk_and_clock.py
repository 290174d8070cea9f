"""A disk that is full, and a clock that is wrong."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings
from time_machine import travel

from incidents.models import Page
from statuspage.publishing.models import Publication
from statuspage.publishing.page_files import tree_of
from tests.factories import make_incident, make_page
from tests.publishing.folders import page_publisher, published, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_disk(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """4 MB, with the published folder on it."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=True)
    settings.PUBLISHED_DIR = disk / "published"
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def fill(disk: Path) -> Path:
    """To the last byte; the file that does it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    assert not os.statvfs(disk).f_bavail
    return filler


def every_file(page: Page) -> dict[str, bytes]:
    root = tree_of(page.public_id).root
    return {str(file): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def test_on_a_full_disk_the_old_page_stays_byte_for_byte_and_it_heals_when_there_is_room(small_disk: Path) -> None:
    page = make_page()
    make_incident(page)
    desk = page_publisher(page)
    desk.update(page)
    before, files = published(page), every_file(page)
    filler = fill(small_disk)
    incident = make_incident(page, title="While the disk is full")
    desk.update(page)
    assert published(page) == before
    assert every_file(page) == files, "and no rubbish"
    assert "No space left" in Publication.objects.failing_or_late_copies().get().error
    filler.unlink()
    desk._not_before = 0.0
    desk.update(page)
    assert incident.title in published(page)["/"]
    assert not Publication.objects.failing_or_late_copies()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_publisher_whose_clock_is_an_hour_off_still_publishes_and_its_files_tell_the_true_time(hours: int) -> None:
    page = make_page()
    desk = page_publisher(page)
    desk.update(page)
    with travel(datetime.now(UTC) + timedelta(hours=hours)):
        incident = make_incident(page)
        desk.update(page)
        assert incident.title in published(page)["/"]
    tree = tree_of(page.public_id)
    assert tree.current
    # Readers judge by this and by the Date of the same server.
    age = datetime.now(UTC).timestamp() - (tree.current / "live.json").stat().st_mtime
    assert -1 <= age < 60
    later = make_incident(page, title="After the clock was set right")
    desk.update(page)
    assert later.title in shown(tree)["/"]
    manifest = tree.manifest()
    assert manifest
    assert abs(manifest.stamp - datetime.now(UTC).timestamp()) < 60
