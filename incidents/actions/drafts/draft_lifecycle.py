"""Texts on their way: saved while they are typed, sent in a moment or later, approved by a second person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from incidents.actions._audit import audit
from incidents.actions.incidents import incident_lifecycle
from incidents.actions.incidents.follow_ups import follow_up
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import Component, Draft, DraftState, DraftStep, Incident, IncidentUpdate, Page

OVERTAKEN = "Somebody else changed the incident before this went out. Read what is new, and send it again."
GONE = "This draft is no longer there: it was published, taken back or discarded meanwhile."


def publish_content(
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
    shared: dict[str, Any] = {"body": content["body"], "notify": content["notify"], "components": components}
    shared |= {"at": parse_datetime(content["at"]) if content.get("at") else None, "submission_key": submission_key}
    if step == DraftStep.DECLARE or incident is None:
        named = {name: content[name] for name in ("title", "status", "impact")}
        return incident_lifecycle.open_incident(page, actor=actor, **named, **shared)
    update = UpdateInput(status=content.get("status", ""), expected_version=expected_version, **shared)
    if step == DraftStep.RESOLVE:
        return incident_lifecycle.resolve(incident, update, restore=components, actor=actor)
    if step == DraftStep.FOLLOW_UP:
        return follow_up(incident, update, actor=actor)
    act = incident_lifecycle.reopen if step == DraftStep.REOPEN else incident_lifecycle.post_update
    return act(incident, update, actor=actor)


def _components(page: Page, statuses: Mapping[str, str]) -> dict[Component, str]:
    found = page.components.with_codes(list(statuses))
    return {component: statuses[component.public_id] for component in found}


@transaction.atomic
def save(
    page: Page,
    incident: Incident | None,
    step: str,
    *,
    typed: Mapping[str, list[str]],
    author: Actor,
    version: int | None = None,
    named: str = "",
    submission_key: str = "",
) -> Draft | None:
    """Keep what `author` is typing into the form for `step`. The draft that the form was opened with (`named`, its
    public id), or that an earlier saving of the same form made (`submission_key`), is overwritten; no other is.

    None, and nothing is kept, if what was typed is published or on its way by now: this saving came late.
    """
    fields = {"typed": dict(typed), "version": version, "saved_at": timezone.now(), "submission_key": submission_key}
    mine = Draft.objects.of_form(page, incident, step, author, named=named, submission_key=submission_key)
    if draft := mine.select_for_update().first():
        Draft.objects.filter(pk=draft.pk).update(**fields)
        draft.refresh_from_db()
        return draft
    if named or _is_used(page, submission_key):
        return None
    return Draft.objects.create(
        page=page, incident=incident, step=step, author_ref=author.ref, author_label=author.label, **fields
    )


def _is_used(page: Page, submission_key: str) -> bool:
    if not submission_key:
        return False
    keyed = {"submission_key": submission_key}
    return (
        Draft.objects.sent_with(page, submission_key) is not None
        or Incident.objects.filter(page=page, **keyed).exists()
        or IncidentUpdate.objects.filter(incident__page=page, **keyed).exists()
    )


def discard(
    page: Page, incident: Incident | None, step: str, *, author: Actor, named: str = "", submission_key: str = ""
) -> None:
    """What `author` was typing into that form is published. Other unfinished texts of theirs stay."""
    Draft.objects.of_form(page, incident, step, author, named=named, submission_key=submission_key).delete()


@transaction.atomic
def submit(draft: Draft, content: Mapping[str, Any], *, publish_at: datetime | None) -> Draft:
    """Its author has pressed the button. With approval, a second person must look at it first; then, or at once, it
    waits until `publish_at` (None: until it is approved). ValidationError, EditConflict: it cannot be published."""
    dry_run(draft, content)
    draft.state = DraftState.REVIEW if draft.page.requires_approval else DraftState.WAITING
    draft.content, draft.publish_at, draft.note = dict(content), publish_at, ""
    draft.save(update_fields=["state", "content", "publish_at", "note"])
    details = {"state": draft.state, "publish_at": publish_at.isoformat() if publish_at else None} | _about(draft)
    audit(draft.page, "draft.submitted", draft, actor=draft.author, details=details)
    return draft


def dry_run(draft: Draft, content: Mapping[str, Any]) -> None:
    """Publish it and undo that, to hear what is wrong with it."""
    incident = Incident.objects.select_related("page").get(pk=draft.incident_id) if draft.incident_id else None
    with transaction.atomic():
        publish_content(
            draft.step,
            content,
            page=draft.page,
            incident=incident,
            actor=draft.author,
            expected_version=draft.version,
        )
        transaction.set_rollback(True)


def _locked(draft: Draft, *states: str, seen: str | None) -> Draft:
    """The row as it is now, held. ValidationError if it is not in one of `states` any more, or was sent anew since
    somebody saw it: `seen` is the submission key of what they saw."""
    rows = Draft.objects.with_incident().select_for_update(of=("self",))
    row = rows.filter(pk=draft.pk, state__in=states).first()
    if row is None or (seen is not None and seen != row.submission_key):
        raise ValidationError(GONE)
    return row


@transaction.atomic
def take_back(draft: Draft, *, actor: Actor, note: str = "", seen: str | None = None) -> None:
    """Undo, or return for changes: it is a draft of its author again. ValidationError if it has gone out already."""
    row = _locked(draft, DraftState.WAITING, DraftState.REVIEW, seen=seen)
    row.state, row.publish_at, row.note, row.saved_at = DraftState.WRITING, None, note.strip(), timezone.now()
    row.save(update_fields=["state", "publish_at", "note", "saved_at"])
    audit(row.page, "draft.taken_back", row, actor=actor, details={"note": note.strip()} | _about(row))


@transaction.atomic
def approve(draft: Draft, *, actor: Actor, seen: str | None = None) -> Incident | IncidentUpdate | None:
    """By somebody other than its author. Goes out now (and is returned), or at its time (None)."""
    row = _locked(draft, DraftState.REVIEW, seen=seen)
    if actor.ref == row.author_ref:
        raise ValidationError("A second person has to approve it: you wrote it.")
    row.state = DraftState.WAITING
    row.save(update_fields=["state"])
    audit(row.page, "draft.approved", row, actor=actor, details=_about(row))
    return None if row.publish_at and row.publish_at > timezone.now() else publish(row)


@transaction.atomic
def publish(draft: Draft, *, seen: str | None = None, due_at: datetime | None = None) -> Incident | IncidentUpdate:
    """A draft that waits goes out as it is now, as its author's. Any number may try at once: one does, for the others
    it is gone. `due_at`: only if its time had come by then.

    ValidationError, EditConflict: it was not published, and waits as before.
    """
    row = _locked(draft, DraftState.WAITING, seen=seen)
    if due_at and (row.publish_at is None or row.publish_at > due_at):
        raise ValidationError(GONE)
    row.delete()
    return publish_content(
        row.step,
        row.content,
        page=row.page,
        incident=row.incident,
        actor=row.author,
        expected_version=row.version,
        submission_key=row.submission_key or f"draft-{row.public_id}",
    )


def publish_due(draft: Draft, *, now: datetime) -> bool:
    """By the clock. What cannot go out comes back to its author with the reason."""
    try:
        publish(draft, due_at=now)
    except EditConflict:
        return _return_to_author(draft, OVERTAKEN, now)
    except ValidationError as error:
        return _return_to_author(draft, " ".join(error.messages), now)
    return True


def _return_to_author(draft: Draft, note: str, now: datetime) -> bool:
    waiting = Draft.objects.due(now).filter(pk=draft.pk)
    return bool(waiting.update(state=DraftState.WRITING, publish_at=None, note=note))


def _about(draft: Draft) -> dict[str, Any]:
    incident = draft.incident.public_id if draft.incident else None
    return {"step": draft.step, "incident": incident, "body": draft.content.get("body", "")}
