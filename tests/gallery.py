"""Every page of the console as one picture, light, dark and on a phone, and docs/console.md, which shows them.

Called by tests.screenshots. Pages are found by following links, so a new one is in the next gallery.
"""

import re
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page

from tests.live import Candor

DESKTOP, PHONE = (1280, 900), (390, 900)
SHRINK = 2
GAP = 16
HEAD = """# The console, page by page

Each picture shows one page of the console with the demo page: light, dark, and on a phone. `bin/screenshots` generates
this file and the pictures.
"""
# A public id in a URL stands for any of its kind: one of them is shown. URLs that change something are not followed.
CODE = re.compile(
    r"/(?:(?!maintenances|proofreading)[a-z0-9]{12}|\d+|\d{4}-[\dqQ]+|[\w-]+\.eml|(?<=/new/)[a-z]+)(?=/|$)"
)
PAGE = re.compile(r"^/console/p/[^/]+")
EXAMPLES = 8  # of a kind: an open and a resolved incident lead to different pages
LEFT_OUT = re.compile(r"\.csv|/source$|/export|/drafts/.*/mail$|sheet|audit\.csv|/logout")


@dataclass(frozen=True)
class Found:
    title: str
    path: str

    @property
    def name(self) -> str:
        kind = CODE.sub("/one", PAGE.sub("", self.path).rstrip("/"))
        return re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") or "dashboard"


def gallery(browser: Browser, candor: Candor, signed_in: BrowserContext, docs: Path) -> None:
    """`signed_in` is an owner's."""
    folder = docs / "images" / "console"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.webp"):
        old.unlink()
    found = pages(signed_in.new_page(), candor.url)
    cookies: Any = signed_in.cookies()
    tabs = []
    for dark, (width, height) in ((False, DESKTOP), (True, DESKTOP), (False, PHONE)):
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.add_cookies(cookies)
        tabs.append(context.new_page())
    for one in found:
        made = sheet([shot(tab, candor.url + one.path) for tab in tabs])
        made.save(folder / f"{one.name}.webp", quality=80, method=6)
    lines = [f"## {one.title}\n\n![{one.title}](images/console/{one.name}.webp)\n" for one in found]
    (docs / "console.md").write_text("\n".join([HEAD, *lines]), encoding="utf-8")


def pages(tab: Page, url: str) -> list[Found]:
    """One of each kind, in the order in which links lead to them."""
    tab.goto(f"{url}/console/")  # leads to the dashboard of the first page
    home = urlsplit(tab.url).path
    todo, kinds, seen = [home], Counter({CODE.sub("/*", home.rstrip("/")): 1}), {home}
    found: list[Found] = []
    while todo:
        path = todo.pop(0)
        answer = tab.goto(url + path)
        if answer is None or answer.status != 200:
            continue
        one = Found(tab.locator("h1").first.inner_text().strip(), path)
        found += [] if one.name in {other.name for other in found} else [one]
        hrefs = tab.locator("a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        for target in (urlsplit(urljoin(path, href)) for href in hrefs):
            kind = CODE.sub("/*", target.path.rstrip("/"))
            ours = target.path.startswith("/console/") and not target.netloc and target.path not in seen
            if ours and kinds[kind] < EXAMPLES and not LEFT_OUT.search(target.path):
                kinds[kind] += 1
                seen.add(target.path)
                todo.append(target.path)
    return found


def shot(tab: Page, address: str) -> Image.Image:
    tab.goto(address)
    tab.wait_for_load_state("networkidle")
    taken = Image.open(BytesIO(tab.screenshot(animations="disabled"))).convert("RGB")
    return taken.resize((taken.width // SHRINK, taken.height // SHRINK), Image.Resampling.LANCZOS)


def sheet(shots: list[Image.Image]) -> Image.Image:
    width = sum(one.width for one in shots) + GAP * (len(shots) - 1)
    made = Image.new("RGB", (width, max(one.height for one in shots)), "#8b9096")
    left = 0
    for one in shots:
        made.paste(one, (left, 0))
        left += one.width + GAP
    return made
