"""What the command bar offers for some words: things to do, places, incidents, components, subscribers."""

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
class Offer:
    commands: list[Command] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.commands or self.components)


def offer(page: Page, user: User, words: str) -> Offer:
    """Without words, what there is to do now. Four queries at most."""
    words = " ".join(words.replace("\0", "").split())[:100]
    commands = [command for command in _verbs(page, user) if _fits(command.label, words)]
    if not words:
        return Offer(commands)
    places = navigation.links(page, (*navigation.DAILY, *navigation.MORE), user, "")
    commands += [Command(place.url, place.label, "Go to") for place in places if _fits(place.label, words)]
    found = page.incidents.matching(words).newest_first()[:MOST]
    commands += [Command(_incident(page, one), one.title, one.get_status_display()) for one in found]
    if user.has_role(Role.EDITOR):
        people = Subscriber.objects.of_page(page).searched(words)[:3]
        at = [console_url(page, "subscriber", one.public_id) for one in people]
        commands += [Command(url, str(one), "Subscriber") for url, one in zip(at, people, strict=True)]
    components = page.components.active().matching(words).in_page_order()[:MOST]
    return Offer(commands, list(components))


def _verbs(page: Page, user: User) -> list[Command]:
    if not user.has_role(Role.EDITOR):
        return []
    verbs = []
    for one in page.incidents.unresolved().newest_first()[:MOST]:
        verbs.append(Command(_incident(page, one), f"Post an update: {one.title}"))
        verbs.append(Command(f"{_incident(page, one)}#resolve", f"Resolve: {one.title}"))
    return [
        *verbs,
        Command(console_url(page, "declare"), "Declare incident"),
        Command(console_url(page, "schedule"), "Schedule maintenance"),
    ]


def _incident(page: Page, one: Incident) -> str:
    return console_url(page, "incident", one.public_id)


def _fits(label: str, words: str) -> bool:
    """Every word begins somewhere in it."""
    return all(word in label.lower() for word in words.lower().split())
