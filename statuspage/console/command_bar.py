"""Results of the command bar: actions, console pages, incidents, components and subscribers."""

from __future__ import annotations

from dataclasses import dataclass, field

from incidents.models import Component, Incident, Page
from statuspage.accounts.models import Role, User
from statuspage.common.urls import console_url
from statuspage.console import navigation
from statuspage.subscribers.models import Subscriber

MOST = 8


@dataclass(frozen=True)
class Command:
    url: str
    label: str
    hint: str = ""


@dataclass
class CommandResults:
    commands: list[Command] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.commands or self.components)


def find_commands(page: Page, user: User, search: str) -> CommandResults:
    """Return the results for a search; without one, the current actions. Needs four queries at most."""
    search = " ".join(search.replace("\0", "").split())[:100]
    commands = [command for command in _actions(page, user) if _matches(command.label, search)]
    if not search:
        return CommandResults(commands)
    pages = navigation.links(page, (*navigation.DAILY, *navigation.MORE), user, "")
    commands += [Command(link.url, link.label, "Go to") for link in pages if _matches(link.label, search)]
    incidents = page.incidents.matching(search).newest_first()[:MOST]
    commands += [
        Command(_incident_url(page, incident), incident.title, incident.get_status_display()) for incident in incidents
    ]
    if user.has_role(Role.EDITOR):
        for subscriber in Subscriber.objects.of_page(page).searched(search)[:3]:
            url = console_url(page, "subscriber", subscriber.public_id)
            commands.append(Command(url, str(subscriber), "Subscriber"))
    components = page.components.active().matching(search).in_page_order()[:MOST]
    return CommandResults(commands, list(components))


def _actions(page: Page, user: User) -> list[Command]:
    if not user.has_role(Role.EDITOR):
        return []
    commands = []
    for incident in page.incidents.unresolved().newest_first()[:MOST]:
        url = _incident_url(page, incident)
        commands.append(Command(url, f"Post update: {incident.title}"))
        commands.append(Command(f"{url}#resolve", f"Resolve: {incident.title}"))
    return [
        *commands,
        Command(console_url(page, "declare"), "Declare incident"),
        Command(console_url(page, "schedule"), "Schedule maintenance"),
    ]


def _incident_url(page: Page, incident: Incident) -> str:
    return console_url(page, "incident", incident.public_id)


def _matches(label: str, search: str) -> bool:
    """Whether the label contains every word of the search."""
    return all(word in label.lower() for word in search.lower().split())
