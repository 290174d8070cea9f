"""What is published after which event. Every test compares with what the application itself would answer."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from time_machine import travel

from incidents.actions.components import component_lifecycle
from incidents.actions.incidents import incident_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.pages import page_settings
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM
from incidents.models import Event, Incident, Page
from statuspage.public import published_paths
from statuspage.publishing import page_files as page_files_module
from statuspage.publishing import publisher
from statuspage.publishing.generation_writer import Answer
from statuspage.publishing.models import Publication
from statuspage.publishing.page_files import exclusive_writer, tree_of, write_hosts
from statuspage.publishing.path_source import Stale
from statuspage.publishing.publisher import Publisher
from statuspage.publishing.rendering import render
from tests.factories import (
    ALICE,
    make_component,
    make_incident,
    make_maintenance,
    make_page,
    make_resolved,
    make_series,
    post,
)
from tests.public.parsed_page import get
from tests.publishing.folders import as_text, page_files, page_publisher, published, set_many_events, stray

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """No page is rendered in one minute and compared in the next."""
    with travel("2026-11-25T12:00:00Z", tick=False):
        yield


def publish(page: Page) -> dict[str, str]:
    """What one look of the publisher leaves there."""
    page.refresh_from_db()
    page_publisher(page).update(page)
    return published(page)


def assert_true(page: Page) -> dict[str, str]:
    """All that is published is what the application says, nothing is missing, and nothing lies beside it."""
    texts = publish(page)
    assert set(texts) == set(published_paths.everything(page, now=timezone.now()))
    for path, text in texts.items():
        assert text == as_text(get(path).content), path
    assert not stray(tree_of(page.public_id))
    return texts


def test_all_of_a_page_is_published() -> None:
    page = make_page()
    component = make_component(page)
    incident, maintenance = make_incident(page, components={component: "major_outage"}), make_maintenance(page)
    assert {
        *("/", "/live.json", "/history", "/history.atom", "/history.rss", "/maintenances.ics", "/uptime"),
        *("/feed.json", "/history.json", "/uptime.json", "/badge.svg", "/embed/frame", "/embed/script.js"),
        *("/robots.txt", "/404.html", "/502.html"),
        *(f"/api/v2/{name}.json" for name in ("summary", "status", "components", "incidents")),
        *(f"/api/v2/incidents/{name}.json" for name in ("unresolved", "resolved")),
        "/api/v2/scheduled-maintenances.json",
        *(f"/api/v2/scheduled-maintenances/{name}.json" for name in ("upcoming", "active")),
        *(f"/uptime/{component.public_id}{kind}" for kind in ("", ".json", ".csv")),
        f"/components/{component.public_id}/badge.svg",
        *(f"/incidents/{incident.public_id}", f"/incidents/{maintenance.public_id}"),
        f"/incidents/{maintenance.public_id}.ics",
    } == set(assert_true(page))


def test_what_each_action_changes_is_published() -> None:
    page = make_page()
    component = make_component(page)
    long_ago = timezone.now() - timedelta(days=400)
    old = make_resolved(page, at=long_ago, until=long_ago + timedelta(hours=1), components={component: "major_outage"})
    maintenance = make_maintenance(page)
    assert_true(page)
    incident = make_incident(page, title="Signing in fails", components={component: "partial_outage"})
    assert "Signing in fails" in assert_true(page)["/"]
    update = post(incident, body="We found it.")
    assert_true(page)
    incident_lifecycle.edit_update(update, body="We have found it.", actor=ALICE)
    assert_true(page)
    maintenance_lifecycle.start(maintenance, UpdateInput(body="We begin."), actor=ALICE)
    assert_true(page)
    incident_lifecycle.resolve(incident, UpdateInput(body="Over."), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(old, body="What we learned.", actor=ALICE)
    assert "What we learned." in assert_true(page)[f"/incidents/{old.public_id}"]
    component_lifecycle.set_status(component, "degraded_performance", actor=ALICE)
    assert_true(page)
    make_series(page)
    assert_true(page)


def test_a_changed_name_is_published_on_every_page_that_says_it() -> None:
    page = make_page()
    component = make_component(page, "REST API")
    incident = make_resolved(page, components={component: "major_outage"})
    assert "REST API" in assert_true(page)[f"/incidents/{incident.public_id}"]
    component_lifecycle.edit_component(component, name="HTTP API", group=None, actor=ALICE)
    assert "HTTP API" in assert_true(page)[f"/incidents/{incident.public_id}"]


def test_what_is_hidden_is_gone_with_the_next_look() -> None:
    page = make_page()
    incident, component = make_incident(page), make_component(page)
    assert_true(page)
    incident_lifecycle.hide(incident, reason="Posted by mistake.", actor=ALICE)
    component_lifecycle.set_archived(component, archived=True, actor=ALICE)
    texts = assert_true(page)
    assert f"/incidents/{incident.public_id}" not in texts
    assert f"/uptime/{component.public_id}" not in texts


def test_figures_are_published_while_they_are_public() -> None:
    page = make_page()
    component = make_component(page)
    own = f"/reports/{component.public_id}/2026-11"
    page_settings.set_published_figures(page, analytics=True, reports=True, actor=ALICE)
    assert {"/analytics", "/reports", "/reports.csv", own, f"{own}.csv"} <= set(assert_true(page))
    with travel("2026-12-01T00:00:01Z", tick=False):
        assert own not in assert_true(page)
    page_settings.set_published_figures(page, analytics=False, reports=False, actor=ALICE)
    assert not {"/analytics", "/reports"} & set(assert_true(page))


def test_a_new_day_is_published_without_an_event() -> None:
    page = make_page()
    make_component(page)
    make_resolved(page)
    before = assert_true(page)
    with travel("2026-11-26T00:00:10Z", tick=False):
        after = assert_true(page)
    assert {path for path in before if before[path] != after[path]} >= {"/", "/live.json", "/uptime"}


def test_without_news_only_what_tells_the_time_is_made_again() -> None:
    page = make_page()
    make_incident(page)
    before = assert_true(page)
    with travel("2026-11-25T12:00:56Z", tick=False):
        after = publish(page)
    assert {path for path in before if before[path] != after[path]} == {"/live.json"}


def test_news_are_published_and_nothing_else_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    quiet = make_resolved(page)
    incident = make_incident(page)
    publish(page)
    rendered: list[str] = []

    def render_and_tell(page: Page, path: str) -> Answer | None:
        rendered.append(path)
        return render(page, path)

    monkeypatch.setattr(page_files_module, "render", render_and_tell)
    post(incident, body="News!")
    assert "News!" in publish(page)["/"]
    assert f"/incidents/{incident.public_id}" in rendered
    assert f"/incidents/{quiet.public_id}" not in rendered
    assert len(rendered) == len(set(rendered)) == len(published_paths.SUMMARIES) + 2


def test_new_code_publishes_everything_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    make_incident(page)
    publish(page)
    monkeypatch.setattr(page_files_module, "fingerprint", lambda: "of newer code")
    publish(page)
    manifest = tree_of(page.public_id).manifest()
    assert manifest
    assert manifest.made_by == "of newer code"
    assert_true(page)


def test_news_do_not_wait_for_a_long_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    many = [make_incident(page, title=f"Incident {n}") for n in range(5)]
    publish(page)
    monkeypatch.setattr(page_files_module, "CHECK_EVERY", -1.0)
    seen: list[bool] = []

    def tell(done: int, total: int) -> None:
        if done == total - 3:
            post(many[0], body="Right in the middle")
        seen.append("Right in the middle" in published(page)["/"])

    page_files(page).rebuild(on_progress=tell)
    assert seen[-2:] == [True, True]
    assert not any(seen[:-3])
    assert_true(page)


def test_a_page_that_was_never_published_shows_its_present_first(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    incident = make_incident(page)
    page_files(page).publish_events()
    assert f"/incidents/{incident.public_id}" not in published(page)
    assert incident.title in published(page)["/"]
    assert page_files(page).stale() is Stale.EVERYTHING
    assert_true(page)


def test_what_is_owed_is_not_forgotten_by_a_publisher_that_is_killed() -> None:
    page = make_page()
    component = make_component(page, "REST API")
    make_resolved(page, components={component: "major_outage"})
    assert_true(page)
    with travel("2026-11-25T13:00:01Z", tick=False):
        page_files(page).publish_events()
        assert page_files(page).stale() is Stale.PRESENT
        make_incident(page)
        page_files(page).publish_events()
        assert page_files(page).stale() is Stale.PRESENT
        assert_true(page)
        component_lifecycle.edit_component(component, name="HTTP API", group=None, actor=ALICE)
        page_files(page).publish_events()
        assert page_files(page).stale() is Stale.EVERYTHING
        assert_true(page)
    assert page_files(page).stale() is Stale.NOTHING


def test_more_news_than_anybody_counts_are_published_too(monkeypatch: pytest.MonkeyPatch) -> None:
    set_many_events(monkeypatch, 3)
    page = make_page()
    incident = make_incident(page)
    publish(page)
    for number in range(6):
        post(incident, body=f"Update {number}")
    assert_true(page)


def test_two_pages_are_told_apart_by_their_hosts() -> None:
    first, second = make_page(), make_page(name="Other", domain="status.other.example")
    incident = make_incident(second, title="Only on the other page")
    for page in (first, second):
        publish(page)
    write_hosts(Page.objects.order_by("pk"))
    hosts = json.loads((Path(settings.PUBLISHED_DIR) / "hosts.json").read_text())
    assert hosts == {"": first.public_id, "status.other.example": second.public_id}
    assert (Path(settings.PUBLISHED_DIR) / "default").resolve().name == first.public_id
    assert "Only on the other page" not in published(first)["/"]
    assert f"/incidents/{incident.public_id}" in published(second)
    assert "http://status.other.example/" in published(second)["/history.atom"]


def test_a_second_publisher_on_the_same_machine_stands_back() -> None:
    page = make_page()
    publish(page)
    make_incident(page, title="Not yet")
    with exclusive_writer(tree_of(page.public_id)) as is_mine:
        assert is_mine
        assert "Not yet" not in publish(page)["/"]
    assert "Not yet" in publish(page)["/"]


def test_one_broken_page_keeps_no_other_from_being_published(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    broken, fine = make_incident(page), make_incident(page)
    publish(page)
    make_report = "statuspage.public.views.incident_report"

    def fail(page: Page, code: str) -> None:
        raise RuntimeError(code)

    with monkeypatch.context() as patch:
        patch.setattr(make_report, fail)
        post(broken, body="News!")
        assert "News!" in publish(page)["/"]
        assert "News!" not in published(page)[f"/incidents/{broken.public_id}"]
        state = Publication.objects.get()
        assert state.failing_since
        assert f"/incidents/{broken.public_id} could not be rendered" in state.error
    assert "News!" in assert_true(page)[f"/incidents/{broken.public_id}"]
    assert fine.title in published(page)[f"/incidents/{fine.public_id}"]
    assert not Publication.objects.get().error


def test_if_the_home_page_is_broken_nothing_pretends_to_be_new(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    before = publish(page)
    incident = make_incident(page)

    def fail(page: Page, *, now: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("statuspage.public.views.page_state", fail)
        assert publish(page) == before
        assert Publication.objects.get().failing_since
    assert incident.title in publish(page)["/"]


def test_failures_wait_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    page = make_page()
    Path(settings.PUBLISHED_DIR).mkdir(parents=True)
    Path(settings.PUBLISHED_DIR, page.public_id).write_text("a file where a folder should be")
    desk = page_publisher(page)
    desk.update(page)
    seen = Publication.objects.get().seen_at
    desk.update(page)
    assert Publication.objects.get().seen_at == seen, "too early"
    Path(settings.PUBLISHED_DIR, page.public_id).unlink()
    desk._not_before = 0.0
    desk.update(page)
    assert not Publication.objects.get().error
    assert "/" in published(page)


def test_every_kind_of_event_can_be_published() -> None:
    """Also those to come: what an event of an unknown kind touches is at least what sums the page up."""
    page = make_page()
    publish(page)
    for kind in ("something.new", "series.changed", "uptime.weights", "history.corrected"):
        event = Event.objects.create(page=page, kind=kind)
        assert set(published_paths.changed(page, [event], since=timezone.now(), now=timezone.now()).paths) >= {
            "/",
            "/live.json",
        }


def test_what_programs_read_of_the_history_is_as_present_as_the_rest() -> None:
    page = make_page()
    component = make_component(page, "API")
    assert "degraded_performance" not in publish(page)["/history"]
    component_lifecycle.set_status(component, "degraded_performance", actor=ALICE)
    assert "degraded_performance" in publish(page)["/history"]


def test_incidents_are_read_in_pieces() -> None:
    page = make_page()
    made = {make_incident(page).pk for _ in range(5)}
    assert [incident.pk for incident in Incident.objects.in_batches(2)] == sorted(made, reverse=True)


@pytest.mark.django_db(transaction=True)
def test_the_thread_beside_the_clock_publishes_and_ends_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "TICK", 0.01)
    page = page_settings.create_page(name="Acme", actor=SYSTEM)
    stop = threading.Event()
    thread = Publisher(stop, published_paths)
    thread.tick()
    assert "Acme" in published(page)["/"]
    thread.start()
    stop.set()
    thread.finish()
    assert not thread.is_alive()
