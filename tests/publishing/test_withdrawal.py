"""What must no longer be seen leaves the published folder at once, and what could not be made is not forgotten."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from time_machine import travel

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import corrections, incident_lifecycle
from statuspage.publishing import page_files as page_files_module
from statuspage.publishing.page_files import PartlyPublished, tree_of
from statuspage.publishing.path_source import Stale
from tests.factories import ALICE, make_component, make_incident, make_maintenance, make_page, make_resolved, post
from tests.publishing.folders import page_files, published, set_many_events, stray
from tests.publishing.test_publisher import assert_true

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with travel("2026-11-25T12:00:00Z", tick=False):
        yield


def test_with_its_only_incident_the_oldest_page_of_the_history_is_gone_at_once() -> None:
    page = make_page()
    make_resolved(page)
    long_ago = timezone.now() - timedelta(days=400)
    oldest = make_resolved(page, at=long_ago, until=long_ago + timedelta(hours=1), title="Posted by mistake")
    assert "Posted by mistake" in assert_true(page)["/history/5"]
    incident_lifecycle.hide(oldest, reason="Not ours", actor=ALICE)
    page_files(page).publish_events()
    assert not [path for path, text in published(page).items() if "Posted by mistake" in text]
    assert_true(page)


def test_when_its_oldest_incident_moves_nearer_the_history_is_shorter_at_once() -> None:
    page = make_page()
    long_ago = timezone.now() - timedelta(days=400)
    oldest = make_incident(page, at=long_ago, title="In the wrong year")
    assert "/history/5" in assert_true(page)
    corrections.correct_update_time(oldest.updates.get(), at=long_ago + timedelta(days=365), actor=ALICE)
    page_files(page).publish_events()
    assert [path for path in published(page) if path.startswith("/history/")] == []
    assert_true(page)


def test_a_report_is_gone_when_the_uptime_of_its_component_is_no_longer_shown() -> None:
    page = make_page(reports_public=True)
    component = make_component(page)
    own = f"/reports/{component.public_id}/2026-11"
    assert {own, f"{own}.csv"} <= set(assert_true(page))
    component_lifecycle.edit_component(component, name="REST API", showcase=False, actor=ALICE)
    assert not {own, f"{own}.csv"} & set(assert_true(page))
    component_lifecycle.set_status(component, "partial_outage", actor=ALICE)
    assert not {own, f"{own}.csv"} & set(assert_true(page))


@pytest.mark.parametrize(
    ("view", "owed"), [("views.incident_report", Stale.NOTHING), ("uptime_views.calendar_page", Stale.PRESENT)]
)
def test_what_a_rebuild_could_not_make_is_owed_but_for_single_incidents(
    monkeypatch: pytest.MonkeyPatch, view: str, owed: Stale
) -> None:
    page = make_page()
    make_incident(page)
    make_component(page)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(f"statuspage.public.{view}", fail)
        with pytest.raises(PartlyPublished):
            page_files(page).rebuild()
    assert page_files(page).stale() is owed
    if owed:
        assert_true(page)
    assert page_files(page).stale() is Stale.NOTHING


def test_an_incident_that_is_hidden_during_a_rebuild_with_much_news_does_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = make_page()
    talked_about, mistake = make_incident(page), make_maintenance(page)
    assert_true(page)
    set_many_events(monkeypatch, 3)
    monkeypatch.setattr(page_files_module, "CHECK_EVERY", -1.0)
    own = {f"/incidents/{mistake.public_id}", f"/incidents/{mistake.public_id}.ics"}

    def tell(done: int, total: int) -> None:
        if done == total:
            incident_lifecycle.hide(mistake, reason="Not ours", actor=ALICE)
            for number in range(5):
                post(talked_about, body=f"Update {number}")

    page_files(page).rebuild(on_progress=tell)
    assert not own & set(published(page))
    assert not stray(tree_of(page.public_id))
    assert_true(page)


def test_what_is_hidden_among_much_news_does_not_wait_for_a_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    set_many_events(monkeypatch, 3)
    page = make_page()
    talked_about, mistake = make_incident(page), make_incident(page)
    assert_true(page)
    incident_lifecycle.hide(mistake, reason="Not ours", actor=ALICE)
    for number in range(5):
        post(talked_about, body=f"Update {number}")
    page_files(page).publish_events()
    assert f"/incidents/{mistake.public_id}" not in published(page)
    assert_true(page)
