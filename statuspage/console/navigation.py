"""The links of the bar at the top: those of every day, and the rest under “More”."""

from dataclasses import dataclass

from incidents.models import Page
from statuspage.accounts.models import Role, User
from statuspage.common.urls import console_url


@dataclass(frozen=True)
class Place:
    """`others`: further pages that belong to it."""

    name: str
    label: str
    role: Role = Role.VIEWER
    others: tuple[str, ...] = ()


DAILY = (
    Place("dashboard", "Dashboard"),
    Place("incidents", "Incidents"),
    Place("components", "Components"),
    Place("subscribers", "Subscribers"),
    Place("reports", "Reports", others=("analytics",)),
)
MORE = (
    Place("incident_templates", "Incident templates"),
    Place("channels", "Channels"),
    Place("mails", "Mail", Role.EDITOR, others=("mail_test",)),
    Place("publishing", "Publishing"),
    Place("audit", "Audit log", Role.EDITOR),
    Place("settings", "Settings", Role.OWNER),
    Place("uptime", "Uptime", Role.OWNER),
    Place("rules", "Publishing rules", Role.OWNER),
    Place("proofreading", "Proofreader", Role.OWNER),
    Place("people", "People", Role.OWNER),
    Place("tokens", "API tokens", Role.OWNER),
)


@dataclass(frozen=True)
class Link:
    url: str
    label: str
    is_here: bool


def links(page: Page, places: tuple[Place, ...], user: User, path: str) -> list[Link]:
    """Those of `places` that `user` may see; `is_here` where `path` is one of its pages."""
    return [
        Link(console_url(page, place.name), place.label, _is_at(page, place, path))
        for place in places
        if user.has_role(place.role)
    ]


def _is_at(page: Page, place: Place, path: str) -> bool:
    urls = [console_url(page, name) for name in (place.name, *place.others)]
    return any(path == url or (place.name != "dashboard" and path.startswith(f"{url}/")) for url in urls)
