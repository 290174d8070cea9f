"""Makes docs/images/ anew from a fresh demo page: `bin/screenshots`. Look at them before you commit them."""

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

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


def console(browser: Browser, candor: Candor) -> None:
    page = tab(browser)
    page.goto(f"{candor.url}/console/")
    page.get_by_label("E-mail").fill("owner@localhost")
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
    reports(page, candor)


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
