"""Texts on their way: saved while they are typed, sent in a moment or later, approved by a second person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from incidents.actions import incidents
from incidents.actions.recording import audit
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import Component, Draft, DraftState, DraftStep, Incident, IncidentUpdate, Page

OVERTAKEN = "Somebody else changed the incident before this went out. Read what is new, and send it again."
GONE = "This draft is no longer there: it was published, taken back or discarded meanwhile."


def carry_out(
    step: str,
    content: Mapping[str, Any],
    *,
    page: Page,
    incident: Incident | None,
    actor: Actor,
    expected_version: int | None = None,
    submission_key: str = "",
) -> Incident | IncidentUpdate:
    """Publish what a form of the console said, in words that can be kept: components by public id, times as text.

    `content`: body, notify and at, and as the step wants them title, status, impact, components ({public id: status};
    of a resolution those that are set). ValidationError and EditConflict as of the actions that it calls.
    """
    components = _components(page, content.get("components") or {})
    shared: dict[str, Any] = {"body": content["body"], "notify": content["notify"], "actor": actor}
    shared |= {"at": parse_datetime(content["at"]) if content.get("at") else None, "submission_key": submission_key}
    if step == DraftStep.DECLARE or incident is None:
        named = {name: content[name] for name in ("title", "status", "impact")}
        return incidents.open_incident(page, components=components, **named, **shared)
    shared["expected_version"] = expected_version
    if step == DraftStep.RESOLVE:
        return incidents.resolve(incident, restore=components, **shared)
    act = incidents.reopen if step == DraftStep.REOPEN else incidents.post_update
    return act(incident, status=content["status"], components=components, **shared)


def _components(page: Page, statuses: Mapping[str, str]) -> dict[Component, str]:
    found = page.components.with_codes(list(statuses))
    return {component: statuses[component.public_id] for component in found}


def save(
    page: Page,
    incident: Incident | None,
    step: str,
    *,
    typed: Mapping[str, list[str]],
    author: Actor,
    version: int | None = None,
) -> Draft:
    """Keep what `author` is typing into the form for `step`: one draft for each form and person."""
    draft = Draft.objects.for_form(page, incident, step, author).first()
    if draft is None:
        draft = Draft(page=page, incident=incident, step=step, author_ref=author.ref, author_label=author.label)
    draft.typed, draft.version, draft.saved_at = dict(typed), version, timezone.now()
    draft.save()
    return draft


def discard(page: Page, incident: Incident | None, step: str, *, author: Actor) -> None:
    """What `author` was typing there is published, or no longer wanted."""
    Draft.objects.for_form(page, incident, step, author).delete()


@transaction.atomic
def submit(draft: Draft, content: Mapping[str, Any], *, publish_at: datetime | None, submission_key: str = "") -> Draft:
    """Its author has pressed the button. With approval, a second person must look at it first; then, or at once, it
    waits until `publish_at` (None: until it is approved). ValidationError, EditConflict: it cannot be published."""
    rehearse(draft, content)
    draft.submission_key = submission_key
    draft.state = DraftState.REVIEW if draft.page.requires_approval else DraftState.WAITING
    draft.content, draft.publish_at, draft.note = dict(content), publish_at, ""
    draft.save(update_fields=["state", "content", "publish_at", "note", "submission_key"])
    details = {"state": draft.state, "publish_at": publish_at.isoformat() if publish_at else None} | _about(draft)
    audit(draft.page, "draft.submitted", draft, actor=draft.author, details=details)
    return draft


def rehearse(draft: Draft, content: Mapping[str, Any]) -> None:
    """Publish it and undo that, to hear what is wrong with it."""
    incident = Incident.objects.select_related("page").get(pk=draft.incident_id) if draft.incident_id else None
    with transaction.atomic():
        carry_out(
            draft.step,
            content,
            page=draft.page,
            incident=incident,
            actor=draft.author,
            expected_version=draft.version,
        )
        transaction.set_rollback(True)


@transaction.atomic
def take_back(draft: Draft, *, actor: Actor, note: str = "") -> None:
    """Undo, or return for changes: it is a draft of its author again. ValidationError if it has gone out already."""
    sent = (DraftState.WAITING, DraftState.REVIEW)
    changed = Draft.objects.filter(pk=draft.pk, state__in=sent).update(
        state=DraftState.WRITING, publish_at=None, note=note.strip(), saved_at=timezone.now()
    )
    if not changed:
        raise ValidationError(GONE)
    audit(draft.page, "draft.taken_back", draft, actor=actor, details={"note": note.strip()} | _about(draft))


@transaction.atomic
def approve(draft: Draft, *, actor: Actor) -> Incident | IncidentUpdate | None:
    """By somebody other than its author. Goes out now (and is returned), or at its time (None)."""
    if actor.ref == draft.author_ref:
        raise ValidationError("A second person has to approve it: you wrote it.")
    waits = draft.publish_at is not None and draft.publish_at > timezone.now()
    if not Draft.objects.filter(pk=draft.pk, state=DraftState.REVIEW).update(state=DraftState.WAITING):
        raise ValidationError(GONE)
    audit(draft.page, "draft.approved", draft, actor=actor, details=_about(draft))
    return None if waits else publish(draft)


@transaction.atomic
def publish(draft: Draft) -> Incident | IncidentUpdate:
    """A draft that waits goes out, as its author's. Any number may try at once: one does, for the others it is gone.

    ValidationError, EditConflict: it was not published, and waits as before.
    """
    if not Draft.objects.filter(pk=draft.pk, state=DraftState.WAITING).delete()[0]:
        raise ValidationError(GONE)
    return carry_out(
        draft.step,
        draft.content,
        page=draft.page,
        incident=draft.incident,
        actor=draft.author,
        expected_version=draft.version,
        submission_key=draft.submission_key or f"draft-{draft.public_id}",
    )


def publish_due(draft: Draft) -> bool:
    """By the clock. What cannot go out comes back to its author with the reason."""
    try:
        publish(draft)
    except EditConflict:
        return _come_back(draft, OVERTAKEN)
    except ValidationError as error:
        return _come_back(draft, " ".join(error.messages))
    return True


def _come_back(draft: Draft, note: str) -> bool:
    waiting = Draft.objects.filter(pk=draft.pk, state=DraftState.WAITING)
    return bool(waiting.update(state=DraftState.WRITING, publish_at=None, note=note))


def _about(draft: Draft) -> dict[str, Any]:
    incident = draft.incident.public_id if draft.incident else None
    return {"step": draft.step, "incident": incident, "body": draft.content.get("body", "")}
