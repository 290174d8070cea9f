"""Scheduling maintenance in a real browser: how many clicks it takes, what moves by itself, and without scripts."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, MaintenanceSeries, Page
from statuspage.accounts.models import Role
from tests.console.test_browser import EMAIL, SIZES, OpenTab, open_tab, sign_in
from tests.factories import (
    ALICE,
    make_component,
    make_group,
    make_maintenance,
    make_page,
    make_series,
    make_subscriber,
    make_user,
)

__all__ = ["open_tab"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]


@pytest.fixture
def page(transactional_db: None) -> Page:
    make_user(Role.OWNER, email=EMAIL, name="Erin")
    page = make_page(time_zone="Europe/Berlin")
    make_component(page, "REST API", group=make_group(page))
    make_subscriber(page)
    return page


def soon() -> str:
    """A start tomorrow, as it is typed."""
    return f"{timezone.now() + timedelta(days=1):%Y-%m-%d} 14:00"


def test_from_the_dashboard_to_a_scheduled_maintenance_in_three_clicks(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    hand = sign_in(tab)
    hand.clicks = 0
    hand.click(tab.get_by_role("link", name="Schedule maintenance"))
    expect(tab.get_by_label("Title")).to_be_focused()
    hand.type("Database upgrade")
    hand.next_field()
    expect(tab.get_by_label("Starts")).to_be_focused()
    hand.type(soon())
    hand.next_field()
    hand.type("90 min")
    for _ in ("repeats", "message"):
        hand.next_field()
    expect(tab.get_by_label("Message")).to_be_focused()
    hand.type("We upgrade.")
    hand.click(tab.get_by_label("REST API"))
    expect(tab.get_by_text("Notify 1 subscriber", exact=True)).to_be_visible()
    hand.click(tab.get_by_role("button", name="Schedule maintenance"))
    expect(tab.get_by_text("Maintenance scheduled.", exact=True)).to_be_visible()
    assert hand.clicks <= 4
    maintenance = Incident.objects.get()
    start, end = maintenance.window
    assert f"{start.astimezone(page.zone):%Y-%m-%d %H:%M}" == soon()
    assert end - start == timedelta(minutes=90)
    assert [component.name for component in maintenance.affected_components()] == ["REST API"]


def test_the_next_dates_follow_the_typing_and_the_own_rule_appears_with_its_choice(
    open_tab: OpenTab, page: Page
) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/maintenances/new")
    dates = tab.locator(".dates li")
    expect(tab.get_by_label("Custom rule")).to_be_hidden()
    tab.get_by_label("Starts").fill("2031-01-24 02:00")
    tab.get_by_label("Ends").fill("2 h")
    expect(dates).to_have_count(0)
    tab.get_by_label("Repeats").select_option("weekly")
    expect(dates).to_have_count(3)
    expect(dates.nth(1)).to_have_text("Friday, Jan 31, 2031, 02:00 – 04:00 CET")
    tab.get_by_label("Repeats").select_option("own")
    tab.get_by_label("Custom rule").fill("FREQ=MONTHLY;BYDAY=1SA")
    expect(dates.first).to_have_text("Saturday, Feb 01, 2031, 02:00 – 04:00 CET")
    tab.get_by_label("Custom rule").fill("FREQ=HOURLY")
    expect(tab.locator("#dates .error")).to_contain_text("HOURLY")
    tab.get_by_label("Repeats").select_option("")
    expect(tab.locator("#dates .error")).to_contain_text("Select “Custom rule”")
    assert not MaintenanceSeries.objects.exists()


def test_a_warning_is_in_focus_and_the_second_press_confirms_it(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/maintenances/new")
    tab.get_by_label("Title").fill("Database upgrade")
    tab.get_by_label("Starts").fill(soon())
    tab.get_by_label("Ends").fill("3 days")
    tab.get_by_label("Message").fill("We upgrade.")
    tab.get_by_role("button", name="Schedule maintenance").click()
    expect(tab.get_by_role("alert")).to_contain_text("The maintenance takes 3 days.")
    expect(tab.get_by_role("alert")).to_be_focused()
    tab.get_by_role("button", name="Schedule maintenance").click()
    expect(tab.get_by_text("Maintenance scheduled.", exact=True)).to_be_visible()


def test_the_whole_job_without_javascript(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab(java_script_enabled=False)
    sign_in(tab)
    tab.get_by_role("link", name="Schedule maintenance").click()
    tab.get_by_label("Title").fill("Database upgrade")
    tab.get_by_label("Starts").fill(soon())
    tab.get_by_label("Ends").fill("2 h")
    tab.get_by_label("Repeats").select_option("biweekly")
    tab.get_by_label("Message").fill("We **upgrade**.")
    tab.get_by_label("REST API").check()
    tab.get_by_role("button", name="Preview").click()
    expect(tab.locator(".preview strong")).to_have_text("upgrade")
    expect(tab.locator(".dates li")).to_have_count(3)
    tab.get_by_role("button", name="Schedule maintenance").click()
    expect(tab.get_by_text("Recurring maintenance", exact=True)).to_be_visible()
    tab.locator(".rows a").first.click()
    tab.locator("#start summary").first.click()
    tab.get_by_role("button", name="Start maintenance").click()
    expect(tab.get_by_text("Maintenance started.", exact=True)).to_be_visible()
    tab.locator("#reschedule summary").first.click()
    tab.locator("#reschedule").get_by_label("Ends").fill("3 days")
    tab.get_by_role("button", name="Publish new times").click()
    tab.get_by_role("button", name="Publish new times").click()
    expect(tab.get_by_text("Maintenance rescheduled.")).to_be_visible()
    tab.locator("#complete summary").first.click()
    tab.get_by_role("button", name="Complete maintenance").click()
    expect(tab.get_by_text("Maintenance completed.", exact=True)).to_be_visible()
    first = Incident.objects.ended().get()
    statuses = [update.status for update in first.updates.newest_first()]
    assert statuses == ["completed", "in_progress", "in_progress", "scheduled"]
    assert {component.status for component in first.affected_components()} == {"operational"}


@pytest.mark.parametrize("size", SIZES)
def test_no_page_is_wider_than_the_window_however_long_the_names(open_tab: OpenTab, page: Page, size: str) -> None:
    long = "Supercalifragilistic" * 12
    group = make_group(page, long)
    parts = [make_component(page, f"{number} {long}"[:255], group=group) for number in range(14)]
    upcoming = make_maintenance(page, title=long[:255], body=long, components=parts)
    running = make_maintenance(page, title=("word " * 51)[:255], body=long, components=parts[:2])
    maintenance_lifecycle.start(running, UpdateInput(body=f"`{long}`"), actor=ALICE)
    series = make_series(page, title=long[:255], body=long, components=parts, starts_at=first_start())
    tab = open_tab(viewport=SIZES[size])
    sign_in(tab)
    console = ["", "incidents?show=maintenance", "maintenances/new", f"series/{series.public_id}"]
    console += [f"series/{series.public_id}/edit", f"incidents/{upcoming.public_id}", f"incidents/{running.public_id}"]
    public = ["/", "/history", f"/incidents/{upcoming.public_id}", f"/incidents/{running.public_id}"]
    for path in [*(f"/console/p/acme/{path}" for path in console), *public]:
        tab.goto(path)
        tab.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        surplus = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert surplus <= 0, f"{path} is {surplus} px too wide"


def first_start() -> Any:
    """On the wall clock, tomorrow."""
    return (timezone.now() + timedelta(days=1)).replace(tzinfo=None, hour=2, minute=0, second=0, microsecond=0)


def test_no_page_of_maintenances_breaks_the_content_security_policy(open_tab: OpenTab, page: Page) -> None:
    upcoming = make_maintenance(page, components=list(page.components.all()))
    running = make_maintenance(page)
    maintenance_lifecycle.start(running, actor=ALICE)
    series = make_series(page, starts_at=first_start())
    tab = open_tab()
    sign_in(tab)
    for path in ("maintenances/new", f"series/{series.public_id}", f"series/{series.public_id}/edit"):
        answer = tab.goto(f"/console/p/acme/{path}")
        assert answer
        assert answer.ok
    for path in ("/", f"/incidents/{upcoming.public_id}", f"/incidents/{running.public_id}"):
        for place in (path, f"/console{path}" if path != "/" else "/console/p/acme/"):
            answer = tab.goto(place)
            assert answer
            assert answer.ok
    expect(tab.get_by_role("heading", level=1)).to_have_text(re.compile("Database upgrade"))
