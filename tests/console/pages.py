"""Every page of the console, found by following links: what is added later is looked at without being listed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, resolve, reverse

from incidents.models import Page
from statuspage.console.urls import page_urlpatterns
from tests.public.parsed_page import parse

PER_NAME = 4  # examples of one URL: open and resolved incidents, for instance, are different pages


@dataclass
class Walk:
    """`pages`: paths by the name of their URL. `others`: names of what was met and is no page (files, redirects)."""

    page_id: str
    pages: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    others: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, path) for name, paths in sorted(self.pages.items()) for path in paths)


def walk(client: Client, *, per_name: int = PER_NAME) -> Walk:
    """What can be reached from the first page's dashboard by links, and by URLs without a further public id."""
    reached = Walk(Page.objects.order_by("pk")[0].public_id)
    todo = [url_of(entry, reached.page_id) for entry in entries() if not entry.pattern.converters]
    seen: set[str] = set()
    while todo:
        path = todo.pop(0)
        name = name_of(path)
        if name is None or path in seen or len(reached.pages[name]) >= per_name:
            continue
        seen.add(path)
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            reached.pages[name].append(path)
            todo += links(path, answer.content.decode())
        else:
            reached.others.add(name)
    reached.pages = defaultdict(list, {name: paths for name, paths in reached.pages.items() if paths})
    return reached


def links(base: str, html: str) -> list[str]:
    """Paths of the console that the page leads to, without their queries."""
    targets = (urlsplit(urljoin(base, a.attributes.get("href", ""))) for a in parse(html).all("a"))
    return [target.path for target in targets if target.path.startswith("/console/p/") and not target.netloc]


def entries() -> list[URLPattern]:
    """The console's entries in the URL configuration: those below /console/p/<page>/."""
    return list(_patterns(page_urlpatterns))


def _patterns(items: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for item in items:
        if isinstance(item, URLResolver):
            yield from _patterns(item.url_patterns)
        else:
            yield item


def name_of(path: str) -> str | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match.url_name if match.namespace == "console" else None


def unseen(reached: Walk, client: Client) -> set[str]:
    """Names that could be a page and were not met: those that do not refuse to be read (405)."""
    rest = [entry for entry in entries() if entry.name not in reached.pages and entry.name not in reached.others]
    return {str(entry.name) for entry in rest if client.get(url_of(entry, reached.page_id)).status_code != 405}


def url_of(entry: URLPattern, page_id: str = "acme", public_id: str = "nosuchcode12") -> str:
    """The path of `entry` on a page; every other argument is `public_id`."""
    return reverse(
        f"console:{entry.name}", kwargs=dict.fromkeys(entry.pattern.converters, public_id) | {"page_id": page_id}
    )
