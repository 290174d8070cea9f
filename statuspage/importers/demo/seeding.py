"""Write the demo with the actions of the domain, step by step in the order of time, without notifications."""

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
from incidents.models.findings import Findings, TimelineLine
from incidents.models.states import ComponentStatus, Status
from statuspage.importers.demo import clock, data, maintenances
from statuspage.importers.demo import subscribers as demo_subscribers
from statuspage.importers.demo.maintenances import demo_actor
from statuspage.importers.demo.schedule import DemoPublication, Post
from statuspage.importers.demo.schedule import steps as incident_steps

Log = Callable[[str], None]


class PageNotEmpty(Exception):
    """The page has content already. The demo is written to empty pages only."""


@dataclass(frozen=True)
class Counts:
    components: int
    incidents: int
    updates: int
    maintenances: int
    postmortems: int
    subscribers: int


@transaction.atomic
def seed(page: Page | None, *, seed: int, now: datetime, log: Log) -> tuple[Page, Counts]:
    """Fill `page` with two years of incidents up to `now`. Without a page, create one. Raise PageNotEmpty."""
    text = data.page()
    start = clock.Start.now()
    page = _prepare(page, text, seed, now)
    components = _build(page, text, now)
    _set_targets(components, text, now)
    create_built_in_templates(page, actor=demo_actor(text.name))
    replay = _Replay(page, components, log)
    maintenance_replay = maintenances.Replay(page, components, now)
    maintenance_steps = maintenances.steps([*maintenances.maintenances(), *maintenances.series()], seed=seed, now=now)
    for step in sorted(
        [*incident_steps(data.incidents(), seed=seed, now=now), *maintenance_steps], key=lambda step: step.at
    ):
        if isinstance(step, maintenances.DemoStep):
            maintenance_replay.apply(step)
        else:
            replay.apply(step)
    subscribers = demo_subscribers.sign_up(page, text.subscribers, seed=seed, now=now)
    clock.backdate(page, since=start, now=now, publications=replay.publications, edits=replay.edits)
    _set_public_ids(page, seed)
    return page, replay.counts(subscribers)


def _prepare(page: Page | None, text: data.PageText, seed: int, now: datetime) -> Page:
    """Return the page. An existing one keeps its name and time zone; only blank fields are filled."""
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
        components += [_component(page, component, group, now, actor) for component in group_text.components]
    components += [_component(page, component, None, now, actor) for component in text.loose]
    return {component.name: component for component in components}


def _set_targets(components: dict[str, Component], text: data.PageText, now: datetime) -> None:
    """Set the targets from the first day of the last year."""
    since = now.date().replace(year=now.year - 1, month=1, day=1)
    for entry in [*text.loose, *(entry for group in text.groups for entry in group.components)]:
        if entry.target:
            set_target(
                components[entry.name], Decimal(entry.target), valid_from=since, actor=demo_actor("Ioana Pruteanu")
            )


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
    """Applies the steps in turn. Tracks the incidents and the components that they affect."""

    def __init__(self, page: Page, components: dict[str, Component], log: Log) -> None:
        self.page, self.components, self.log = page, components, log
        self.incidents: dict[str, Incident] = {}
        self.affected: dict[str, set[Component]] = {}
        self.edits: dict[IncidentUpdate, datetime] = {}
        self.publications: list[DemoPublication] = []
        self.posts = 0

    def apply(self, step: Post | DemoPublication) -> None:
        if isinstance(step, DemoPublication):
            self._publish(step)
        elif step.is_first:
            self._open(step)
        else:
            self._follow_up(step)

    def counts(self, subscribers: int) -> Counts:
        maintenance_count = self.page.incidents.maintenances().count()
        return Counts(
            len(self.components),
            len(self.incidents),
            self.posts,
            maintenance_count,
            len(self.publications),
            subscribers,
        )

    def _open(self, post: Post) -> None:
        title = post.incident.title
        self.log(f"{post.at:%Y-%m-%d %H:%M} {title}")
        self.affected[title] = set()
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
        self._set_impact_start(self.incidents[title], post)
        self.posts += 1

    def _set_impact_start(self, incident: Incident, post: Post) -> None:
        """Set the start of the impact if the first text states it: “Since {-8} UTC …”."""
        if match := re.search(r"\{-(\d+)\}", post.update.body):
            set_impact_start(incident, post.at - timedelta(minutes=int(match[1])), actor=demo_actor(post.author))

    def _follow_up(self, post: Post) -> None:
        incident = self.incidents[post.incident.title]
        actor = demo_actor(post.author)
        statuses = self._statuses(post)
        if post.update.status == Status.RESOLVED:
            update = incident_actions.resolve(
                incident, UpdateInput(body=post.first_body, notify=False, at=post.at), restore=statuses, actor=actor
            )
        else:
            action = incident_actions.reopen if incident.is_resolved else incident_actions.post_update
            update_input = UpdateInput(
                body=post.first_body, status=post.update.status, components=statuses, notify=False, at=post.at
            )
            update = action(incident, update_input, actor=actor)
        self.posts += 1
        if post.first_body != post.body:
            self.edits[incident_actions.edit_update(update, body=post.body, actor=actor)] = post.edited_at

    def _statuses(self, post: Post) -> dict[Component, str]:
        """Return the statuses that the update sets. The last update of an incident restores its components."""
        statuses = {self.components[name]: status for name, status in post.update.components.items()}
        affected = self.affected[post.incident.title]
        for component, status in statuses.items():
            (affected.discard if status == ComponentStatus.OPERATIONAL else affected.add)(component)
        if post.update.status == Status.RESOLVED:
            statuses |= dict.fromkeys(affected, ComponentStatus.OPERATIONAL)
            affected.clear()
        return statuses

    def _publish(self, publication: DemoPublication) -> None:
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


def _findings(incident: Incident, text: data.PostmortemText) -> Findings:
    def at(minutes: float) -> datetime:
        return incident.started_at + timedelta(minutes=minutes)

    return Findings(
        timeline=tuple(TimelineLine(at(line.after), line.text) for line in text.lines),
        impact_started_at=incident.impact_started_at,
        detected_at=at(text.detected_after),
        fixed_at=at(text.fixed_after),
        impact_ended_at=at(text.fixed_after),
        factors=tuple(text.factors),
    )


def _public_id(rng: random.Random) -> str:
    return "".join(rng.choices(PUBLIC_ID_ALPHABET, k=12))


def _set_public_ids(page: Page, seed: int) -> None:
    """Derive the public ids from the seed, so that links to a demo stay valid when it is built again.

    Subscribers keep random ones, so that nobody can guess them.
    """
    rng = random.Random(f"{seed} {page.public_id}")
    clock.replace_public_ids(page, lambda: _public_id(rng))
