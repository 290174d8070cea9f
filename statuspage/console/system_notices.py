"""The system notices of a console page, one line for each kind of problem."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from incidents.models import Page
from statuspage.accounts.models import Role, User
from statuspage.common.urls import console_url
from statuspage.publishing.system_notices import Help, SystemNotice, system_notices

# For each code: the console page with more details, its label, and the role that it requires.
PAGES = {
    "publishing": ("publishing", "Publishing", Role.VIEWER),
    "channel": ("channels", "Channels", Role.VIEWER),
    "mail": ("mails", "Emails", Role.EDITOR),
}


@dataclass(frozen=True)
class NoticeGroup:
    """Notices with the same code. `url` and `label`: the page with more details, empty if there is none."""

    first: SystemNotice
    others: list[SystemNotice]
    url: str = ""
    label: str = ""

    @property
    def is_critical(self) -> bool:
        return self.first.is_critical or any(notice.is_critical for notice in self.others)

    @property
    def help(self) -> Help:
        return self.first.help


def notice_groups(page: Page, user: User) -> list[NoticeGroup]:
    """Return what does not work, the most important first. One query."""
    return [
        NoticeGroup(first, others, *_link(code, page, user))
        for code, (first, *others) in groupby(system_notices(page.zone, page=page), key=lambda notice: notice.code)
    ]


def _link(code: str, page: Page, user: User) -> tuple[str, str]:
    name, label, role = PAGES.get(code, ("", "", Role.OWNER))
    return (console_url(page, name), label) if name and user.has_role(role) else ("", "")
