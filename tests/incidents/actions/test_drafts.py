"""Drafts of authors that are no person: they have no form, and are published under their own name."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.drafts import draft_lifecycle
from incidents.actions.scheduled_steps import run_due
from incidents.actor import Actor
from incidents.models import AuditEntry, Draft, Incident, Page
from incidents.models.draft_content import DeclareContent, DraftContent, UpdateContent
from tests.factories import make_component, make_incident, make_page

pytestmark = pytest.mark.django_db

TOKEN = Actor("token", "1", "Deploy script")
PERSON = Actor("user", "1", "Alice")


def submitted(incident: Incident | None, content: DraftContent, *, author: Actor = TOKEN) -> Draft:
    page = incident.page if incident else make_page()
    draft = draft_lifecycle.save(page, incident, content.step, form_data={}, author=author)
    assert draft is not None
    return draft_lifecycle.submit(draft, content, publish_at=timezone.now() + timedelta(hours=1))


def test_a_token_can_submit_a_draft_and_is_its_author() -> None:
    incident = make_incident(make_page())
    draft = submitted(incident, UpdateContent(body="We know more.", notify=True, status="identified"))
    assert (draft.author, draft.title, draft.body) == (TOKEN, incident.title, "We know more.")
    draft_lifecycle.publish(draft)
    entry = AuditEntry.objects.of_verb("incident.updated").get()
    assert (entry.actor_kind, entry.actor_ref, entry.actor_label) == ("token", "1", "Deploy script")


def test_the_title_of_a_new_incident_comes_from_the_content() -> None:
    content = DeclareContent(title="Database down", body="We look.", notify=True, status="investigating")
    draft = submitted(None, content)
    assert draft.title == "Database down"
    assert draft_lifecycle.publish(draft) == Incident.objects.get(title="Database down")


def test_components_are_looked_up_when_it_is_published() -> None:
    page = make_page()
    component = make_component(page, "API")
    content = UpdateContent(
        body="Worse.", notify=True, status="identified", components={component.public_id: "major_outage"}
    )
    draft = submitted(make_incident(page), content)
    component.refresh_from_db()
    assert component.status == "operational"
    draft_lifecycle.publish(draft)
    component.refresh_from_db()
    assert component.status == "major_outage"


def test_a_person_may_approve_the_draft_of_a_token_with_the_same_number() -> None:
    page = make_page()
    incident = make_incident(page)
    page.requires_approval = True
    page.save()
    content = UpdateContent(body="We know more.", notify=True, status="identified")
    draft = submitted(incident, content)
    with pytest.raises(ValidationError):
        draft_lifecycle.approve(draft, actor=TOKEN)
    draft_lifecycle.approve(draft, actor=PERSON)
    draft.refresh_from_db()
    assert draft.state == "waiting"


def test_a_scheduled_draft_is_returned_if_the_page_requires_approval_meanwhile() -> None:
    incident = make_incident(make_page())
    draft = submitted(incident, UpdateContent(body="We know more.", notify=True, status="identified"))
    Page.objects.update(requires_approval=True)
    run_due(timezone.now() + timedelta(hours=2))
    draft.refresh_from_db()
    assert (draft.state, draft.publish_at) == ("writing", None)
    assert "requires approval" in draft.note
    assert incident.updates.count() == 1


def test_unfinished_drafts_of_a_token_are_not_offered_to_a_person_with_the_same_number() -> None:
    incident = make_incident(make_page())
    draft_lifecycle.save(incident.page, incident, "update", form_data={"body": ["Half"]}, author=TOKEN)
    assert not Draft.objects.for_form(incident.page, incident, "update", PERSON).exists()
    assert Draft.objects.for_form(incident.page, incident, "update", TOKEN).exists()
