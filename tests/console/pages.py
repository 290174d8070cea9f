"""Every page of the console, found by following links: what is added later is looked at without being listed."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse

from tests.public.parsed_page import parse

PER_NAME = 4  # examples of one URL: open and resolved incidents, for instance, are different pages


@dataclass
class Walk:
    """`pages`: paths by the name of their URL. `others`: names of what was met and is no page (files, redirects)."""

    pages: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    others: set[str] = field(default_factory=set)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, path) for name, paths in sorted(self.pages.items()) for path in paths)


def walk(client: Client, *, per_name: int = PER_NAME) -> Walk:
    """All that can be reached from the dashboard by links, and by addresses without a code."""
    found = Walk()
    todo = ["/console/", *(reverse(f"console:{entry.name}") for entry in entries() if not entry.pattern.converters)]
    seen: set[str] = set()
    while todo:
        path = todo.pop(0)
        name = name_of(path)
        if name is None or path in seen or len(found.pages[name]) >= per_name:
            continue
        seen.add(path)
        answer = client.get(path)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            found.pages[name].append(path)
            todo += links(path, answer.content.decode())
        else:
            found.others.add(name)
    found.pages = defaultdict(list, {name: paths for name, paths in found.pages.items() if paths})
    return found


def links(base: str, html: str) -> list[str]:
    """Paths of the console that the page leads to, without their queries."""
    targets = (urlsplit(urljoin(base, a.attributes.get("href", ""))) for a in parse(html).all("a"))
    return [target.path for target in targets if target.path.startswith("/console/") and not target.netloc]


def entries() -> list[URLPattern]:
    """The console's entries in the URL configuration."""
    resolvers = [item for item in get_resolver().url_patterns if isinstance(item, URLResolver)]
    (console,) = [resolver for resolver in resolvers if resolver.namespace == "console"]
    return list(_patterns(console))


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from _patterns(item)
        else:
            yield item


def name_of(path: str) -> str | None:
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match.url_name if match.namespace == "console" else None


def unseen(found: Walk, client: Client) -> set[str]:
    """Names that could be a page and were not met: those that do not refuse to be read (405)."""
    rest = [entry for entry in entries() if entry.name not in found.pages and entry.name not in found.others]
    return {str(entry.name) for entry in rest if client.get(_any(entry)).status_code != 405}


def _any(entry: Any) -> str:
    codes = dict.fromkeys(entry.pattern.converters, "nosuchcode12")
    return reverse(f"console:{entry.name}", kwargs=codes)
