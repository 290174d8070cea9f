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
    found_pages = pages(signed_in.new_page(), candor.url)
    cookies: Any = signed_in.cookies()
    tabs = []
    for dark, (width, height) in ((False, DESKTOP), (True, DESKTOP), (False, PHONE)):
        scheme: Literal["dark", "light"] = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.add_cookies(cookies)
        tabs.append(context.new_page())
    for page in found_pages:
        made = sheet([shot(tab, candor.url + page.path) for tab in tabs])
        made.save(folder / f"{page.name}.webp", quality=80, method=6)
    lines = [f"## {page.title}\n\n![{page.title}](images/console/{page.name}.webp)\n" for page in found_pages]
    (docs / "console.md").write_text("\n".join([HEAD, *lines]), encoding="utf-8")


def pages(tab: Page, url: str) -> list[Found]:
    """One of each kind, in the order in which links lead to them."""
    tab.goto(f"{url}/console/")  # leads to the dashboard of the first page
    home = urlsplit(tab.url).path
    todo, kinds, seen = [home], Counter({CODE.sub("/*", home.rstrip("/")): 1}), {home}
    found_pages: list[Found] = []
    while todo:
        path = todo.pop(0)
        answer = tab.goto(url + path)
        if answer is None or answer.status != 200:
            continue
        page = Found(tab.locator("h1").first.inner_text().strip(), path)
        found_pages += [] if page.name in {other.name for other in found_pages} else [page]
        hrefs = tab.locator("a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        for target in (urlsplit(urljoin(path, href)) for href in hrefs):
            kind = CODE.sub("/*", target.path.rstrip("/"))
            ours = target.path.startswith("/console/") and not target.netloc and target.path not in seen
            if ours and kinds[kind] < EXAMPLES and not LEFT_OUT.search(target.path):
                kinds[kind] += 1
                seen.add(target.path)
                todo.append(target.path)
    return found_pages


def shot(tab: Page, address: str) -> Image.Image:
    tab.goto(address)
    tab.wait_for_load_state("networkidle")
    taken = Image.open(BytesIO(tab.screenshot(animations="disabled"))).convert("RGB")
    return taken.resize((taken.width // SHRINK, taken.height // SHRINK), Image.Resampling.LANCZOS)


def sheet(shots: list[Image.Image]) -> Image.Image:
    width = sum(picture.width for picture in shots) + GAP * (len(shots) - 1)
    made = Image.new("RGB", (width, max(picture.height for picture in shots)), "#8b9096")
    left = 0
    for picture in shots:
        made.paste(picture, (left, 0))
        left += picture.width + GAP
    return made
