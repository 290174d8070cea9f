"""Every form publishes the same immediately and later: a field that is only stored for one of them would be lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from incidents.actions.drafts import draft_lifecycle
from incidents.actions.incidents import incident_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Component, Draft, Event, Incident, IncidentUpdate, Page
from tests.console.staff import fill_in
from tests.factories import ALICE, make_component, make_incident

pytestmark = pytest.mark.django_db
DECLARE = "/console/p/acme/incidents/new"
# `at` is a local time of the page, which is in UTC.
TYPED: dict[str, dict[str, Any]] = {
    "declare": {"title": "API down", "status": "identified", "impact": "critical", "at": "2026-01-31 14:05"},
    "update": {"status": "monitoring"},
    "resolve": {},
    "reopen": {"status": "investigating"},
    "follow-up": {},
}


def prepared(page: Page, component: Component, step: str) -> Incident | None:
    """An incident for which the form of `step` is shown."""
    if step == "declare":
        return None
    incident = make_incident(page, title="Slow", components={component: "partial_outage"})
    if step in ("reopen", "follow-up"):
        incident_lifecycle.resolve(incident, UpdateInput(body="Over."), restore=None, actor=ALICE)
    return incident


def publish(client: Client, incident: Incident | None, component: Component, step: str, *, notify: bool) -> None:
    """Fill in the form of `step` where it is shown, and send it."""
    shown_at = f"/console/p/acme/incidents/{incident.public_id}" if incident else DECLARE
    path = f"{shown_at}/{step}" if incident else DECLARE
    has_own_page = step in ("declare", "follow-up")
    typed: dict[str, Any] = {"body": "We **know** more.", "notify": "on" if notify else None} | TYPED[step]
    if step == "resolve":
        typed["restore"] = [component.public_id]
    elif step != "follow-up":
        typed[f"component_{component.public_id}"] = "major_outage"
    if step == "resolve":
        typed = {f"resolve-{name}": value for name, value in typed.items()}
    form = fill_in(client, path if has_own_page else shown_at, "" if step == "declare" else path, **typed)
    assert client.post(path, form).status_code == 302, step


def newest(component: Component) -> dict[str, Any]:
    """What the newest update published."""
    update = IncidentUpdate.objects.order_by("-pk")[0]
    incident = Incident.objects.get(pk=update.incident_id)
    event = Event.objects.get(update=update)
    return {
        "update": (update.status, update.body, update.body_html),
        "incident": (incident.title, incident.status, incident.impact, incident.impact_override),
        "event": (event.kind, event.notify),
        "affected": [(row.old_status, row.new_status) for row in update.affected.order_by("pk")],
        "component": Component.objects.get(pk=component.pk).status,
        # Not given: the time of publication.
        "at": update.display_at if update.display_at < update.created_at - timedelta(hours=1) else None,
    }


@pytest.mark.parametrize("notify", [True, False])
@pytest.mark.parametrize("step", TYPED)
def test_a_form_publishes_the_same_immediately_and_later(
    editor: Client, page: Page, step: str, *, notify: bool
) -> None:
    published = []
    for undo_seconds in (0, 600):
        component = make_component(page, f"API {undo_seconds}")
        incident = prepared(page, component, step)
        Page.objects.filter(pk=page.pk).update(undo_seconds=undo_seconds)
        publish(editor, incident, component, step, notify=notify)
        if undo_seconds:
            draft_lifecycle.publish(Draft.objects.get())
        published.append(newest(component))
    assert published[0]["event"][1] is notify
    assert (published[0]["at"] is not None) is (step == "declare")
    assert published[0] == published[1]
