"""Regenerates docs/images/ and docs/console.md from a new demo: `bin/screenshots`. Check them before committing."""

import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.gallery import gallery
from tests.live import Candor
from tests.servers import CHROMIUM, CHROMIUM_ARGS

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
DESKTOP, PHONE = (1280, 900), (390, 844)


def tab(browser: Browser, size: tuple[int, int] = DESKTOP, *, dark: bool = False) -> Page:
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        device_scale_factor=2 if size == PHONE else 1,
    )
    return context.new_page()


def shoot(page: Page, name: str, *, full: bool = False) -> None:
    page.screenshot(path=IMAGES / f"{name}.png", full_page=full, animations="disabled")


def public(browser: Browser, candor: Candor) -> None:
    for name, size, dark in (
        ("home-light", DESKTOP, False),
        ("home-dark", DESKTOP, True),
        ("home-phone", PHONE, False),
    ):
        page = tab(browser, size, dark=dark)
        page.goto(candor.url)
        shoot(page, name)
    page = tab(browser, (1280, 1400))
    page.goto(candor.url)
    page.get_by_role("link", name="Read details").first.click()
    page.evaluate("scrollTo(0, 0)")
    shoot(page, "incident")
    page.locator(".account").first.scroll_into_view_if_needed()
    page.locator(".account").first.screenshot(path=IMAGES / "postmortem.png")
    page = tab(browser, (1280, 1100))
    page.goto(candor.url)
    page.locator("a.bars", has_text="99.").first.click()
    shoot(page, "uptime")
    page.get_by_role("link", name="Uptime", exact=True).first.click()
    shoot(page, "calendar")


def console(browser: Browser, candor: Candor) -> None:
    page = tab(browser)
    page.goto(f"{candor.url}/console/")
    page.get_by_label("Email").fill("owner@localhost")
    page.get_by_label("Password").fill(candor.password)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Declare incident").wait_for()
    shoot(page, "dashboard")
    page.get_by_role("link", name="Declare incident").click()
    page.get_by_label("Title").fill("Labels for one carrier cannot be printed")
    page.get_by_label("Message").fill(
        "Since **09:40 UTC** about one label in five for Norpost fails with `LABEL_TEMPLATE`.\n\n"
        "Labels for other carriers are not affected. We are looking into it; next update by 10:15 UTC."
    )
    page.get_by_label("Labels API").select_option("degraded_performance")
    page.locator(".preview strong").wait_for()
    shoot(page, "declare", full=True)
    page.goto(f"{candor.url}/console/maintenances/new")
    page.get_by_label("Title").fill("Failover test of the label database")
    page.get_by_label("Starts").fill(f"{datetime.now(UTC).year + 1}-03-21 02:00")
    page.get_by_label("Ends").fill("90 min")
    page.get_by_label("Repeats").select_option("monthly")
    page.get_by_label("Message").fill("We switch to the standby and back. Each switch takes about **20 seconds**.")
    page.get_by_label("Labels API").check()
    page.locator(".preview strong").wait_for()
    page.locator(".dates li").first.wait_for()
    page.get_by_text("Starts and completes automatically").click()
    shoot(page, "schedule", full=True)
    writing(page, candor)
    reports(page, candor)
    gallery(browser, candor, page.context, IMAGES.parent)


def writing(page: Page, candor: Candor) -> None:
    page.goto(f"{candor.url}/console/people")
    page.get_by_role("link", name=re.compile("^Post update:")).click()
    page.get_by_label("Message").first.fill(
        "The queue is empty again since 14:30 PM UTC. We go on watching it.\n\n**Nothing was lost**; some users may "
        "receive an event twice."
    )
    page.locator(".remark").first.wait_for()
    page.get_by_text("Draft saved").wait_for()
    shoot(page, "editor", full=True)
    page.get_by_role("link", name="Edit incident").click()
    shoot(page, "correct")
    page.set_viewport_size({"width": 1280, "height": 1400})
    page.goto(f"{candor.url}/console/incidents?show=incidents&status=resolved&impact=critical")
    page.get_by_role("link", name="Most labels cannot be created").click()
    page.get_by_role("link", name="Revise postmortem").click()
    shoot(page, "studio")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{candor.url}/console/incident-templates")
    shoot(page, "incident-templates")
    page.keyboard.press("/")
    page.keyboard.type("label")
    page.locator("dialog .commands-found").get_by_text("Labels API").wait_for()
    shoot(page, "commands")
    page.goto(f"{candor.url}/console/audit")
    shoot(page, "audit")


def reports(page: Page, candor: Candor) -> None:
    page.set_viewport_size({"width": 1280, "height": 1050})
    page.goto(f"{candor.url}/console/analytics")
    shoot(page, "analytics")
    page.goto(f"{candor.url}/console/reports")
    page.get_by_role("row", name="missed").get_by_role("link").first.click()
    shoot(page, "service-level")


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        candor = Candor(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        try:
            candor.serve()
            public(browser, candor)
            console(browser, candor)
        finally:
            browser.close()
            candor.stop()
    sys.stdout.write("\n".join(sorted(re.sub(r".*/", "", str(path)) for path in IMAGES.glob("*.png"))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
