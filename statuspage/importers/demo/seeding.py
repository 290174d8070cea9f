"""Writes the demo through the domain's actions, step by step in the order of time, and tells nobody."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.incidents.impact_start import set_impact_start
from incidents.actions.pages.incident_templates import create_built_in_templates
from incidents.actions.pages.service_level_targets import set_target
from incidents.actions.postmortems import postmortem_lifecycle as postmortem_actions
from incidents.actions.postmortems.action_items import ActionItemDraft
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.models import Component, ComponentGroup, Incident, IncidentUpdate, Page
from incidents.models.base import PUBLIC_ID_ALPHABET
from incidents.models.findings import Findings, Line
from incidents.models.states import ComponentStatus, Status
from statuspage.importers.demo import clock, data, maintenances
from statuspage.importers.demo import subscribers as demo_subscribers
from statuspage.importers.demo.maintenances import demo_actor
from statuspage.importers.demo.schedule import Post, Publication, timetable

Tell = Callable[[str], None]


class PageNotEmpty(Exception):
    """The demo is only ever put on an empty page: nobody's own data shall be mixed with it."""


@dataclass(frozen=True)
class Counts:
    components: int
    incidents: int
    updates: int
    maintenances: int
    postmortems: int
    subscribers: int


@transaction.atomic
def seed(page: Page | None, *, seed: int, now: datetime, tell: Tell) -> tuple[Page, Counts]:
    """Fill `page` (None: make one) with two years up to `now`. PageNotEmpty if it has anything on it."""
    text = data.page()
    mark = clock.Mark.now()
    page = _prepare(page, text, seed, now)
    components = _build(page, text, now)
    _promise(components, text, now)
    create_built_in_templates(page, actor=demo_actor(text.name))
    replay = _Replay(page, components, tell)
    works = maintenances.Replay(page, components, now)
    planned = maintenances.steps([*maintenances.maintenances(), *maintenances.series()], seed=seed, now=now)
    for step in sorted([*timetable(data.incidents(), seed=seed, now=now), *planned], key=lambda step: step.at):
        if isinstance(step, maintenances.Step):
            works.take(step)
        else:
            replay.take(step)
    subscribers = demo_subscribers.sign_up(page, text.subscribers, seed=seed, now=now)
    clock.backdate(page, since=mark, now=now, publications=replay.publications, edits=replay.edits)
    _give_ids(page, seed)
    return page, replay.counts(subscribers)


def _prepare(page: Page | None, text: data.PageText, seed: int, now: datetime) -> Page:
    """A page of one's own keeps its name and zone; only what is blank is filled in."""
    if page is None:
        return Page.objects.create(
            public_id=_public_id(random.Random(f"{seed} page")),
            name=text.name,
            description=text.description,
            support_url=text.support_url,
            time_zone=text.time_zone,
        )
    page = Page.objects.select_for_update().get(pk=page.pk)
    if page.components.exists() or page.groups.exists() or page.incidents.exists() or demo_subscribers.has_any(page):
        raise PageNotEmpty
    page.description = page.description or text.description
    page.support_url = page.support_url or text.support_url
    page.save(update_fields=["description", "support_url"])
    return page


def _build(page: Page, text: data.PageText, now: datetime) -> dict[str, Component]:
    actor = demo_actor("Ioana Pruteanu")
    components = []
    for group_text in text.groups:
        group = component_actions.create_group(
            page, name=group_text.name, description=group_text.description, actor=actor
        )
        components += [_component(page, one, group, now, actor) for one in group_text.components]
    components += [_component(page, one, None, now, actor) for one in text.loose]
    return {component.name: component for component in components}


def _promise(components: dict[str, Component], text: data.PageText, now: datetime) -> None:
    """Targets since the first day of the last year."""
    since = now.date().replace(year=now.year - 1, month=1, day=1)
    for one in [*text.loose, *(one for group in text.groups for one in group.components)]:
        if one.target:
            component = components[one.name]
            set_target(component, Decimal(one.target), valid_from=since, actor=demo_actor("Ioana Pruteanu"))


def _component(
    page: Page, text: data.ComponentText, group: ComponentGroup | None, now: datetime, actor: Actor
) -> Component:
    return component_actions.create_component(
        page,
        name=text.name,
        group=group,
        description=text.description,
        only_show_if_degraded=text.only_show_if_degraded,
        start_date=(now - timedelta(days=text.days_old)).date(),
        actor=actor,
    )


class _Replay:
    """Takes the steps in turn; knows which incidents are open and what they did to which component."""

    def __init__(self, page: Page, components: dict[str, Component], tell: Tell) -> None:
        self.page, self.components, self.tell = page, components, tell
        self.incidents: dict[str, Incident] = {}
        self.troubled: dict[str, set[Component]] = {}
        self.edits: dict[IncidentUpdate, datetime] = {}
        self.publications: list[Publication] = []
        self.posts = 0

    def take(self, step: Post | Publication) -> None:
        if isinstance(step, Publication):
            self._publish(step)
        elif step.is_first:
            self._open(step)
        else:
            self._follow_up(step)

    def counts(self, subscribers: int) -> Counts:
        planned = self.page.incidents.maintenances().count()
        return Counts(
            len(self.components), len(self.incidents), self.posts, planned, len(self.publications), subscribers
        )

    def _open(self, post: Post) -> None:
        title = post.incident.title
        self.tell(f"{post.at:%Y-%m-%d %H:%M} {title}")
        self.troubled[title] = set()
        self.incidents[title] = incident_actions.open_incident(
            self.page,
            title=title,
            body=post.first_body,
            actor=demo_actor(post.author),
            status=post.update.status,
            impact=post.incident.impact,
            components=self._statuses(post),
            notify=False,
            at=post.at,
        )
        self._say_when_it_began(self.incidents[title], post)
        self.posts += 1

    def _say_when_it_began(self, incident: Incident, post: Post) -> None:
        """As the first text says it, where it does: “Since {-8} UTC …”."""
        if said := re.search(r"\{-(\d+)\}", post.update.body):
            set_impact_start(incident, post.at - timedelta(minutes=int(said[1])), actor=demo_actor(post.author))

    def _follow_up(self, post: Post) -> None:
        incident = self.incidents[post.incident.title]
        actor = demo_actor(post.author)
        statuses = self._statuses(post)
        if post.update.status == Status.RESOLVED:
            update = incident_actions.resolve(
                incident, UpdateInput(body=post.first_body, notify=False, at=post.at), restore=statuses, actor=actor
            )
        else:
            verb = incident_actions.reopen if incident.is_resolved else incident_actions.post_update
            update_input = UpdateInput(
                body=post.first_body, status=post.update.status, components=statuses, notify=False, at=post.at
            )
            update = verb(incident, update_input, actor=actor)
        self.posts += 1
        if post.first_body != post.body:
            self.edits[incident_actions.edit_update(update, body=post.body, actor=actor)] = post.edited_at

    def _statuses(self, post: Post) -> dict[Component, str]:
        """What the update says of components. A resolved incident leaves none of its own red."""
        statuses = {self.components[name]: status for name, status in post.update.components.items()}
        troubled = self.troubled[post.incident.title]
        for component, status in statuses.items():
            (troubled.discard if status == ComponentStatus.OPERATIONAL else troubled.add)(component)
        if post.update.status == Status.RESOLVED:
            statuses |= dict.fromkeys(troubled, ComponentStatus.OPERATIONAL)
            troubled.clear()
        return statuses

    def _publish(self, publication: Publication) -> None:
        incident = self.incidents[publication.incident.title]
        postmortem_actions.publish(
            incident,
            body=publication.body,
            findings=_findings(incident, publication.postmortem),
            actor=demo_actor(publication.incident.author),
            action_items=[
                ActionItemDraft(
                    text=item.text,
                    owner=item.owner,
                    due_on=(publication.at + timedelta(days=item.due_in_days)).date(),
                    url=item.url,
                    done=item.done_in_days is not None,
                )
                for item in publication.postmortem.action_items
            ],
            notify=False,
            at=publication.at,
        )
        self.publications.append(publication)


def _findings(incident: Incident, told: data.PostmortemText) -> Findings:
    def at(minutes: float) -> datetime:
        return incident.started_at + timedelta(minutes=minutes)

    return Findings(
        timeline=tuple(Line(at(line.after), line.text) for line in told.lines),
        impact_started_at=incident.impact_started_at,
        detected_at=at(told.detected_after),
        fixed_at=at(told.fixed_after),
        impact_ended_at=at(told.fixed_after),
        factors=tuple(told.factors),
    )


def _public_id(chance: random.Random) -> str:
    return "".join(chance.choices(PUBLIC_ID_ALPHABET, k=12))


def _give_ids(page: Page, seed: int) -> None:
    """Public ids that follow from the seed, so that links to a demo survive its rebuilding. Subscribers keep random
    ones: nobody shall be able to guess a person's."""
    chance = random.Random(f"{seed} {page.public_id}")
    clock.rename(page, lambda: _public_id(chance))
