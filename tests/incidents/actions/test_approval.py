"""The one place that decides what needs a second person's approval, and what Candor goes on doing by itself."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

import incidents
from incidents.actions._audit import record
from incidents.actions.drafts import draft_lifecycle
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle, reviews
from incidents.actions.scheduled_steps import run_due
from incidents.actor import SYSTEM, Actor
from incidents.errors import ApprovalRequired
from incidents.models import AuditEntry, Draft, DraftState, Event, Incident, Page
from incidents.models.draft_content import UpdateContent
from incidents.models.event_kinds import PROPERTIES, EventKind
from tests.factories import ALICE, BOB, make_incident, make_maintenance, make_page, make_resolved, make_series

pytestmark = pytest.mark.django_db

TOKEN = Actor("token", "abc", "Deploy script")
GATED = [kind for kind in EventKind if PROPERTIES[kind].needs_approval]


@pytest.fixture
def page() -> Page:
    return make_page(requires_approval=True)


@pytest.mark.parametrize("kind", GATED)
def test_nobody_records_a_change_alone(page: Page, kind: EventKind) -> None:
    for actor in (ALICE, TOKEN, Actor("alert", "1", "Monitoring")):
        with pytest.raises(ApprovalRequired):
            record(page, kind, page, actor=actor)
    assert not Event.objects.exists()
    record(page, kind, page, actor=SYSTEM)
    record(page, kind, page, actor=replace(ALICE, approver="Bob"))
    assert Event.objects.count() == 2
    assert AuditEntry.objects.latest("pk").details["approved_by"] == "Bob"


def test_events_are_made_in_one_place() -> None:
    folder = Path(incidents.__file__).parent
    makers = {
        str(path.relative_to(folder)) for path in folder.rglob("*.py") if "Event.objects.create(" in path.read_text()
    }
    # An import has no author: an operator runs it at the command line.
    assert makers == {"actions/_audit.py", "transfer/import_runs.py"}


def test_what_was_approved_runs_by_itself(page: Page) -> None:
    Page.objects.update(requires_approval=False)
    page.refresh_from_db()
    now = timezone.now()
    maintenance = make_maintenance(page, begins=now + timedelta(minutes=5), auto_start=True, auto_complete=True)
    make_series(page)
    past = {"scheduled_for": now - timedelta(minutes=10), "scheduled_until": now - timedelta(minutes=5)}
    Incident.objects.filter(pk=maintenance.pk).update(last_update_at=now - timedelta(hours=1), **past)
    Page.objects.update(requires_approval=True)
    while run_due(timezone.now()):
        pass
    maintenance.refresh_from_db()
    assert maintenance.status == "completed"
    assert run_due(timezone.now() + timedelta(days=60)) > 0


def waiting_draft(page: Page, incident: Incident) -> Draft:
    draft = draft_lifecycle.save(page, incident, "update", form_data={}, author=ALICE)
    assert draft
    content = UpdateContent(body="Later.", notify=False, status="identified")
    return draft_lifecycle.submit(draft, content, publish_at=timezone.now() + timedelta(hours=1))


def test_a_draft_is_published_at_its_time_only_if_it_was_approved(page: Page) -> None:
    Page.objects.update(requires_approval=False)
    incident = make_incident(Page.objects.get())
    Page.objects.update(requires_approval=True)
    later = timezone.now() + timedelta(hours=2)
    draft = waiting_draft(Page.objects.get(), Incident.objects.select_related("page").get())
    run_due(later)
    assert incident.updates.count() == 1
    draft_lifecycle.approve(draft, actor=BOB)
    run_due(later)
    assert incident.updates.count() == 2
    assert AuditEntry.objects.get(verb="incident.updated").details["approved_by"] == "Bob"


def test_a_draft_that_was_never_approved_is_not_published_in_any_state(page: Page) -> None:
    Page.objects.update(requires_approval=False)
    incident = make_incident(Page.objects.get())
    waiting_draft(Page.objects.get(), Incident.objects.select_related("page").get())
    Page.objects.update(requires_approval=True)
    assert Draft.objects.get().state == DraftState.WAITING
    run_due(timezone.now() + timedelta(hours=2))
    assert incident.updates.count() == 1


def test_a_postmortem_needs_its_review(page: Page) -> None:
    Page.objects.update(requires_approval=False)
    incident = make_resolved(Page.objects.get())
    Page.objects.update(requires_approval=True)
    incident = Incident.objects.select_related("page").get()
    with pytest.raises(ValidationError, match="Request approval first"):
        postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE)
    postmortem = postmortem_lifecycle.save_draft(incident, body="Why.", actor=replace(TOKEN, owner_ref=ALICE.ref))
    with pytest.raises(ValidationError, match="another person"):
        reviews.approve(postmortem, actor=ALICE)
    reviews.approve(postmortem, actor=BOB)
    assert postmortem_lifecycle.publish(incident, body="Why.", actor=ALICE).is_published


def test_scheduling_needs_approval_and_leaves_nothing_behind(page: Page) -> None:
    with pytest.raises(ApprovalRequired):
        maintenance_lifecycle.schedule(
            page,
            title="Work",
            body="We work.",
            scheduled_for=timezone.now() + timedelta(days=1),
            scheduled_until=timezone.now() + timedelta(days=1, hours=1),
            actor=ALICE,
        )
    assert not Incident.objects.exists()
