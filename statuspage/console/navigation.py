"""The links of the navigation bar: the main ones, and the subpages under “More”."""

from dataclasses import dataclass

from incidents.models import Page
from statuspage.accounts.models import Role, User
from statuspage.common.urls import console_url


@dataclass(frozen=True)
class NavItem:
    """`subpages`: names of further URLs that belong to the item."""

    name: str
    label: str
    role: Role = Role.VIEWER
    subpages: tuple[str, ...] = ()


DAILY = (
    NavItem("dashboard", "Dashboard"),
    NavItem("incidents", "Incidents"),
    NavItem("components", "Components"),
    NavItem("subscribers", "Subscribers"),
    NavItem("reports", "Reports", subpages=("analytics",)),
)
MORE = (
    NavItem("incident_templates", "Incident templates"),
    NavItem("channels", "Channels"),
    NavItem("mails", "Emails", Role.EDITOR, subpages=("mail_test",)),
    NavItem("publishing", "Publishing"),
    NavItem("retention", "Data retention"),
    NavItem("audit", "Audit log", Role.EDITOR),
    NavItem("settings", "Settings", Role.OWNER),
    NavItem("uptime", "Uptime", Role.OWNER),
    NavItem("rules", "Publishing rules", Role.OWNER),
    NavItem("proofreading", "Proofreading", Role.OWNER),
    NavItem("people", "People", Role.OWNER),
    NavItem("tokens", "API tokens", Role.OWNER),
)


@dataclass(frozen=True)
class Link:
    url: str
    label: str
    is_here: bool


def links(page: Page, items: tuple[NavItem, ...], user: User, path: str) -> list[Link]:
    """Return links to the items that `user` may see. `is_here` is set where `path` belongs to the item."""
    return [
        Link(console_url(page, item.name), item.label, _is_at(page, item, path))
        for item in items
        if user.has_role(item.role)
    ]


def _is_at(page: Page, item: NavItem, path: str) -> bool:
    urls = [console_url(page, name) for name in (item.name, *item.subpages)]
    return any(path == url or (item.name != "dashboard" and path.startswith(f"{url}/")) for url in urls)
