"""Functions that create one object each with realistic defaults, using the actions where they exist."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from incidents.actions.components import component_lifecycle as component_actions
from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle as maintenance_actions
from incidents.actions.maintenances import maintenance_series as series_actions
from incidents.actions.maintenances.maintenance_lifecycle import MaintenanceOptions
from incidents.actions.update_input import UpdateInput
from incidents.actor import SYSTEM, Actor
from incidents.models import Component, ComponentGroup, Incident, IncidentUpdate, MaintenanceSeries, Page
from statuspage.accounts.models import Role, User
from statuspage.subscribers.endpoints import new_secret
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from statuspage.subscribers.preferences import Preferences, set_preferences

ALICE = Actor("user", "1", "Alice")
BOB = Actor("user", "2", "Bob")

PASSWORD = "correct horse battery staple"

_numbers = count(1)


def make_user(role: str = Role.EDITOR, *, email: str = "", password: str = PASSWORD, **more: Any) -> User:
    return User.objects.create_user(
        email or f"{role}{next(_numbers)}@example.org", password=password, role=role, **more
    )


def make_page(**fields: Any) -> Page:
    """The first page of a test has the public id `acme`, as in `/console/p/acme/incidents`."""
    defaults = {"name": "Acme"} if Page.objects.exists() else {"name": "Acme", "public_id": "acme"}
    return Page.objects.create(**defaults | fields)


def make_group(page: Page, name: str = "Public APIs", **more: Any) -> ComponentGroup:
    return component_actions.create_group(page, name=name, actor=SYSTEM, **more)


def make_component(page: Page, name: str = "REST API", *, status: str = "", **more: Any) -> Component:
    component = component_actions.create_component(page, name=name, actor=SYSTEM, **more)
    return component_actions.set_status(component, status, actor=SYSTEM) if status else component


def make_incident(page: Page, **more: Any) -> Incident:
    """Create an open incident with its first update; `more` is passed to `open_incident`."""
    defaults: dict[str, Any] = {"title": f"API outage {next(_numbers)}", "body": "We are looking.", "actor": ALICE}
    return incident_actions.open_incident(page, **defaults | more)


def post(incident: Incident, status: str = "identified", body: str = "We know more.", **more: Any) -> IncidentUpdate:
    actor = more.pop("actor", ALICE)
    return incident_actions.post_update(incident, UpdateInput(status=status, body=body, **more), actor=actor)


def make_resolved(page: Page, *, at: datetime | None = None, until: datetime | None = None, **more: Any) -> Incident:
    incident = make_incident(page, at=at, **more)
    incident_actions.resolve(
        incident, UpdateInput(body="This incident has been resolved.", at=until), restore=None, actor=ALICE
    )
    return incident


def make_endpoint(page: Page, endpoint: str, channel: str = Channel.WEBHOOK, **fields: Any) -> Subscriber:
    """Create an active endpoint, with a secret if it is a webhook."""
    defaults = {"state": SubscriberState.ACTIVE, "confirmed_at": timezone.now() - timedelta(hours=1)}
    secret = new_secret() if channel == Channel.WEBHOOK else ""
    return Subscriber.objects.create(
        page=page, channel=channel, endpoint=endpoint, **defaults | {"secret": secret} | fields
    )


def make_subscriber(page: Page, email: str = "", **fields: Any) -> Subscriber:
    """Create a subscriber who confirmed an hour ago, unless `fields` differ."""
    defaults = {"state": SubscriberState.ACTIVE, "confirmed_at": timezone.now() - timedelta(hours=1)}
    return Subscriber.objects.create(
        page=page, email=email or f"reader{next(_numbers)}@example.com", **defaults | fields
    )


def make_maintenance(page: Page, *, begins: datetime | None = None, hours: float = 2, **more: Any) -> Incident:
    """Schedule a maintenance for tomorrow or `begins`; `more` is passed to `schedule`, including its options."""
    begins = begins or timezone.now() + timedelta(days=1)
    named = {name: more.pop(name) for name in list(more) if name in MaintenanceOptions.__dataclass_fields__}
    defaults: dict[str, Any] = {"title": f"Database upgrade {next(_numbers)}", "body": "We upgrade.", "actor": ALICE}
    defaults |= {"scheduled_for": begins, "scheduled_until": begins + timedelta(hours=hours)}
    return maintenance_actions.schedule(page, **defaults | {"options": MaintenanceOptions(**named)} | more)


def make_series(page: Page, **more: Any) -> MaintenanceSeries:
    """Create a series: every second Sunday at 02:00 for two hours; `more` is passed to `create_series`."""
    defaults: dict[str, Any] = {"title": "Patch day", "body": "We install updates.", "actor": ALICE}
    defaults |= {"rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "duration": timedelta(hours=2)}
    defaults |= {"starts_at": datetime(2026, 10, 11, 2)}  # noqa: DTZ001 - a wall-clock time
    return series_actions.create_series(page, **defaults | more)


def make_subscriber_with(page: Page, email: str = "", **preferences: Any) -> Subscriber:
    """Create a confirmed subscriber with preferences such as `components=(api,)` or `detail="milestones"`.

    With groups, components or incidents, they do not receive updates about the whole page.
    """
    subscriber = make_subscriber(page, email)
    only_parts = bool({"groups", "components", "incidents"} & preferences.keys())
    set_preferences(subscriber, Preferences(**{"whole_page": not only_parts} | preferences))
    return subscriber
