"""Nothing private reaches a public target. Every secret carries one word; every file of every coding is read for it."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from threading import Event

import brotli
import pytest
from django.conf import settings
from django.utils import timezone
from time_machine import travel

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import incident_lifecycle
from incidents.actions.incidents.corrections import correct_history
from incidents.actions.pages import page_settings
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.models import Page
from statuspage.accounts.models import Role
from statuspage.publishing.page_files import write_hosts
from statuspage.publishing.replication import TargetSync
from statuspage.publishing.targets import read_targets
from tests.factories import (
    ALICE,
    make_component,
    make_incident,
    make_maintenance,
    make_page,
    make_resolved,
    make_subscriber,
    make_user,
    post,
)
from tests.publishing.folders import page_files, page_publisher

pytestmark = pytest.mark.django_db

# Shown on purpose: without it, a test that reads nothing would pass.
SEEN = "robin-in-plain-sight"


def secrets(page: Page) -> None:
    """Each of them carries the word canary; whoever made them is canary too."""
    now = timezone.now()
    with travel(now - timedelta(hours=5)):
        shown = make_component(page, SEEN)
    component_lifecycle.set_status(shown, "partial_outage", actor=ALICE, note="canary-audit-note")
    component_lifecycle.set_status(shown, "operational", actor=ALICE, note="canary-audit-note")
    make_component(page, "canary-quiet-component", only_show_if_degraded=True)
    archived = make_component(page, "canary-archived-component")
    component_lifecycle.set_archived(archived, archived=True, actor=ALICE)
    past = {"start": now - timedelta(hours=3), "end": now - timedelta(hours=2)}
    correct_history(shown, "major_outage", **past, actor=ALICE, reason="canary-reason")
    for made in (make_incident, make_resolved, make_maintenance):
        hidden = made(page, title="canary-hidden-title", body="canary-hidden-body")
        incident_lifecycle.hide(hidden, reason="canary-hide-reason", actor=ALICE)
    drafted, revised, retracted = (make_resolved(page, title=f"Resolved {n}") for n in range(3))
    items = [ActionItemDraft(text="canary-action-item", owner="canary-owner")]
    postmortem_lifecycle.save_draft(drafted, body="canary-draft", actor=ALICE, action_items=items)
    postmortem_lifecycle.publish(revised, body="What we learned.", actor=ALICE)
    postmortem_lifecycle.save_draft(revised, body="canary-unpublished-change", actor=ALICE)
    gone = postmortem_lifecycle.publish(retracted, body="canary-retracted", actor=ALICE, action_items=items)
    postmortem_lifecycle.retract(gone, actor=ALICE)
    make_subscriber(page, "canary-reader@example.com")
    make_user(Role.OWNER, email="canary-owner@example.com")
    make_incident(page, title="By staff", actor=make_user(email="canary-editor@example.com", name="canary").actor)


def texts(folder: Path) -> dict[str, str]:
    """Every file below `folder`, unpacked, by its path."""
    unpack = {".gz": gzip.decompress, ".br": brotli.decompress}
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_symlink()]
    return {str(file): unpack.get(file.suffix, bytes)(file.read_bytes()).decode() for file in files}


def assert_clean(*folders: Path) -> None:
    text_by_name = {name: text for folder in folders for name, text in texts(folder).items()}
    forbidden = ("canary", settings.SECRET_KEY)
    assert not [(name, secret) for name, text in text_by_name.items() for secret in forbidden if secret in text]
    pages = [name for name, text in text_by_name.items() if SEEN in text]
    assert {Path(name).suffix for name in pages} >= {".html", ".json", ".csv", ".gz", ".br"}


def bring(page: Page, root: Path) -> None:
    page.refresh_from_db()
    write_hosts(Page.objects.order_by("pk"))
    page_publisher(page).update(page)
    (target,) = read_targets([f"file://{root}"])
    assert TargetSync(target, Event()).synchronize()


def test_no_secret_is_in_any_file_of_a_page_that_is_published_as_a_whole(tmp_path: Path) -> None:
    page = make_page()
    page_settings.set_published_figures(page, analytics=True, reports=True, actor=ALICE)
    secrets(page)
    bring(page, tmp_path / "www")
    assert_clean(Path(settings.PUBLISHED_DIR), tmp_path / "www")


def test_no_secret_is_left_in_any_file_after_it_became_one(tmp_path: Path) -> None:
    """The same, published piece by piece: first all that is there, then what each action changed."""
    page = make_page()
    bring(page, tmp_path / "www")
    make_component(page, "REST API")
    bring(page, tmp_path / "www")
    public = make_incident(page, title="canary-once-public", body="canary-once-public")
    leaver = make_component(page, "canary-once-shown")
    bring(page, tmp_path / "www")
    assert "canary" in "".join(texts(tmp_path / "www").values())
    incident_lifecycle.hide(public, reason="Not ours", actor=ALICE)
    component_lifecycle.set_archived(leaver, archived=True, actor=ALICE)
    secrets(page)
    bring(page, tmp_path / "www")
    # The generation before is kept for readers that are in the middle of it.
    for body in ("One more.", "And one."):
        post(page.incidents.get(title="By staff"), body=body)
        page_files(page).publish_events()
    bring(page, tmp_path / "www")
    assert_clean(Path(settings.PUBLISHED_DIR), tmp_path / "www")


def test_the_notes_at_a_target_name_public_paths_alone(tmp_path: Path) -> None:
    page = make_page()
    hidden = make_incident(page)
    bring(page, tmp_path / "www")
    incident_lifecycle.hide(hidden, reason="Not ours", actor=ALICE)
    bring(page, tmp_path / "www")
    assert hidden.public_id not in json.dumps(json.loads((tmp_path / "www/.candor.json").read_text()))
