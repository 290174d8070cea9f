"""The list of components in a real browser: order by mouse and by keys, ticks, and all of it without scripts."""

import pytest
from playwright.sync_api import Locator, expect
from playwright.sync_api import Page as Tab

from incidents.models import AuditEntry, Page
from tests.console.test_browser import OpenTab, open_tab, sign_in
from tests.console.test_browser import page as plain_page
from tests.factories import make_component, make_group
from tests.servers import wait_until

__all__ = ["open_tab", "plain_page"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("chromium")]

ORDER = ["REST API", "Europe: Database", "Europe: Cache", "Website"]


@pytest.fixture
def page(plain_page: Page) -> Page:
    plain_page.components.all().delete()
    plain_page.groups.all().delete()
    make_component(plain_page, "REST API", description="Not to be read out")
    europe = make_group(plain_page, "Europe")
    for name in ("Database", "Cache"):
        make_component(plain_page, name, group=europe)
    make_component(plain_page, "Website")
    return plain_page


@pytest.fixture
def tab(open_tab: OpenTab, page: Page) -> Tab:
    tab = open_tab()
    sign_in(tab)
    tab.goto("/console/p/acme/components")
    return tab


def saved_order(page: Page) -> list[str]:
    rows = page.components.in_page_order()
    return [f"{component.group.name}: {component.name}" if component.group else component.name for component in rows]


def shown(tab: Tab) -> list[str]:
    names = tab.locator(".component-row .row-name a").all()
    groups = [row.locator("xpath=ancestor::li[2]//h2") for row in names]
    pairs = zip(groups, names, strict=True)
    return [": ".join(part.inner_text() for part in (*group.all(), name)) for group, name in pairs]


def handle(tab: Tab, name: str) -> Locator:
    return tab.get_by_role("button", name=f"Move {name}", exact=True)


def row(tab: Tab, name: str) -> Locator:
    return tab.locator(".component-row", has_text=name)


def drag(tab: Tab, name: str, to: Locator, *, share: float) -> None:
    """By its handle, to a `share` of the height of `to`."""
    box = to.bounding_box()
    assert box
    handle(tab, name).hover()
    tab.mouse.down()
    for x in (box["x"] + 60, box["x"] + 62):
        tab.mouse.move(x, box["y"] + share * box["height"], steps=3)


def wait_for(page: Page, order: list[str]) -> None:
    wait_until(lambda: saved_order(page) == order, f"the order is {order}")


def test_a_component_is_dragged_within_its_group_and_out_of_it(tab: Tab, page: Page) -> None:
    drag(tab, "Cache", row(tab, "Database"), share=0.2)
    tab.mouse.up()
    wait_for(page, ["REST API", "Europe: Cache", "Europe: Database", "Website"])
    drag(tab, "Cache", row(tab, "Website"), share=0.8)
    tab.mouse.up()
    wait_for(page, ["REST API", "Europe: Database", "Website", "Cache"])
    assert shown(tab) == saved_order(page)
    assert AuditEntry.objects.latest("pk").actor_label == "Erin"
    tab.reload()
    assert shown(tab) == saved_order(page)


def test_a_component_is_dragged_into_a_group_by_its_name(tab: Tab, page: Page) -> None:
    drag(tab, "Website", tab.locator(".group-header"), share=0.8)
    tab.mouse.up()
    wait_for(page, ["REST API", "Europe: Website", "Europe: Database", "Europe: Cache"])


def test_a_group_is_dragged_with_all_that_is_in_it(tab: Tab, page: Page) -> None:
    drag(tab, "Europe", row(tab, "REST API"), share=0.2)
    tab.mouse.up()
    wait_for(page, ["Europe: Database", "Europe: Cache", "REST API", "Website"])


def test_what_is_dropped_beside_the_list_goes_back(tab: Tab, page: Page) -> None:
    drag(tab, "Cache", row(tab, "REST API"), share=0.2)
    assert shown(tab)[0] == "Cache"
    tab.mouse.move(5, 5, steps=3)
    tab.mouse.up()
    expect(tab.locator(".held")).to_have_count(0)
    assert shown(tab) == saved_order(page) == ORDER


def test_arrow_keys_lead_through_a_group_and_tell_where_it_is(tab: Tab, page: Page) -> None:
    live_region = tab.locator("form > .visually-hidden[role=status]")
    handle(tab, "REST API").focus()
    for announcement, order in (
        ("REST API is now 1 of 3 in Europe", ["Europe: REST API", *ORDER[1:]]),
        ("REST API is now 2 of 3 in Europe", [ORDER[1], "Europe: REST API", *ORDER[2:]]),
        ("REST API is now 3 of 3 in Europe", [*ORDER[1:3], "Europe: REST API", ORDER[3]]),
        ("REST API is now 2 of 3 on the page", [*ORDER[1:3], "REST API", ORDER[3]]),
        ("REST API is now 3 of 3 on the page", [*ORDER[1:], "REST API"]),
    ):
        tab.keyboard.press("ArrowDown")
        expect(live_region).to_have_text(announcement)
        expect(handle(tab, "REST API")).to_be_focused()
        wait_for(page, order)
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowUp")
    wait_for(page, [*ORDER[1:3], "Europe: REST API", ORDER[3]])
    assert shown(tab) == saved_order(page)


def test_a_key_that_is_held_down_is_one_change(tab: Tab, page: Page) -> None:
    before = AuditEntry.objects.count()
    handle(tab, "Website").focus()
    for _ in range(2):
        tab.keyboard.down("ArrowUp")
    tab.keyboard.up("ArrowUp")
    wait_for(page, [ORDER[0], ORDER[1], "Europe: Website", ORDER[2]])
    assert AuditEntry.objects.count() == before + 1


def test_what_is_refused_is_put_back_and_said(tab: Tab, page: Page) -> None:
    page.components.filter(name="Website").update(name="Cache")
    tab.reload()
    handle(tab, "Cache").last.focus()
    tab.keyboard.press("ArrowUp")
    expect(tab.get_by_text("The group “Europe” already has a component named “Cache”.")).to_be_visible()
    assert shown(tab) == saved_order(page) == [*ORDER[:3], "Cache"]


def test_a_tick_on_a_group_ticks_its_members_and_counts_them(tab: Tab, page: Page) -> None:
    button = tab.get_by_role("button", name="Set status")
    expect(button).to_be_hidden()
    tab.get_by_label("Select all of Europe").check()
    tab.get_by_label("Select Website").check()
    expect(tab.get_by_text("3 chosen")).to_be_visible()
    tab.get_by_label("Select Cache").uncheck()
    expect(tab.get_by_text("2 chosen")).to_be_visible()
    expect(tab.get_by_label("Select all of Europe")).not_to_be_checked()
    tab.get_by_label("New status", exact=True).select_option("partial_outage")
    button.click()
    expect(tab.get_by_text("2 components set to Partial Outage.")).to_be_visible()
    assert set(page.components.not_operational().values_list("name", flat=True)) == {"Database", "Website"}


def test_buttons_and_boxes_work_without_scripts(open_tab: OpenTab, page: Page) -> None:
    tab = open_tab(java_script_enabled=False)
    sign_in(tab)
    tab.goto("/console/p/acme/components")
    expect(handle(tab, "REST API")).to_be_hidden()
    tab.get_by_role("button", name="Move Cache up").click()
    assert saved_order(page) == [ORDER[0], ORDER[2], ORDER[1], ORDER[3]]
    tab.get_by_label("Select all of Europe").check()
    tab.get_by_label("New status", exact=True).select_option("major_outage")
    tab.get_by_role("button", name="Set status").click()
    expect(tab.get_by_text("2 components set to Major Outage.")).to_be_visible()
    assert page.components.not_operational().count() == 2


@pytest.mark.parametrize("width", [360, 1280])
def test_long_names_and_the_bar_fit_into_the_window(open_tab: OpenTab, page: Page, width: int) -> None:
    long = "Supercalifragilistic" * 12
    make_component(page, long, group=make_group(page, long), description=long, status="degraded_performance")
    tab = open_tab(viewport={"width": width, "height": 740})
    sign_in(tab)
    tab.goto("/console/p/acme/components")
    tab.get_by_label("Select REST API").check()
    expect(tab.get_by_role("button", name="Set status")).to_be_in_viewport(ratio=1)
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
