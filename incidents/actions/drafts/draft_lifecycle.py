"""Drafts: saved while someone types, published after a delay, at a chosen time, or after approval."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from incidents import clock
from incidents.actions._audit import audit
from incidents.actions.incidents import incident_lifecycle
from incidents.actions.incidents.follow_ups import follow_up
from incidents.actions.update_input import UpdateInput
from incidents.actor import Actor
from incidents.errors import ApprovalRequired, EditConflict
from incidents.models import Component, Draft, DraftState, Incident, IncidentUpdate, Page
from incidents.models.draft_content import (
    DeclareContent,
    DraftContent,
    FollowUpContent,
    ReopenContent,
    ResolveContent,
    UpdateContent,
)

OVERTAKEN = "Someone else changed the incident before this was published. Review their changes, then submit it again."
UNAPPROVED = "The page requires approval since this was scheduled. Submit it again to request approval."
GONE = "This draft no longer exists. It was published, withdrawn or discarded."


def publish_content(
    content: DraftContent,
    *,
    page: Page,
    incident: Incident | None,
    actor: Actor,
    expected_version: int | None = None,
    submission_key: str = "",
) -> Incident | IncidentUpdate:
    """Call the action that `content` stands for. Raises ValidationError and EditConflict as that action does.

    `incident` is None for a `DeclareContent`, and only then.
    """
    if isinstance(content, DeclareContent):
        return incident_lifecycle.open_incident(
            page,
            title=content.title,
            body=content.body,
            actor=actor,
            status=content.status,
            impact=content.impact,
            components=_components(page, content.components),
            notify=content.notify,
            at=content.at,
            submission_key=submission_key,
        )
    if incident is None:
        raise ValidationError("The incident of this draft no longer exists.")
    update = UpdateInput(
        body=content.body,
        notify=content.notify,
        at=content.at,
        expected_version=expected_version,
        submission_key=submission_key,
    )
    match content:
        case UpdateContent():
            update = replace(update, status=content.status, components=_components(page, content.components))
            return incident_lifecycle.post_update(incident, update, actor=actor)
        case ReopenContent():
            update = replace(update, status=content.status, components=_components(page, content.components))
            return incident_lifecycle.reopen(incident, update, actor=actor)
        case ResolveContent():
            restore = _components(page, content.restore)
            return incident_lifecycle.resolve(incident, update, restore=restore, actor=actor)
        case FollowUpContent():
            return follow_up(incident, update, actor=actor)
        case _:
            raise TypeError(f"{type(content).__name__} cannot be published.")


def _components(page: Page, statuses: Mapping[str, str]) -> dict[Component, str]:
    components = page.components.with_public_ids(list(statuses))
    return {component: statuses[component.public_id] for component in components}


@transaction.atomic
def save(
    page: Page,
    incident: Incident | None,
    step: str,
    *,
    form_data: Mapping[str, list[str]],
    author: Actor,
    version: int | None = None,
    public_id: str = "",
    submission_key: str = "",
) -> Draft | None:
    """Save the unfinished form for `step`.

    This overwrites the draft that the form was opened with (`public_id`) or that an earlier save of the same form
    created (`submission_key`), and no other. Returns None and saves nothing if that text was published or submitted in
    the meantime: this save came too late.
    """
    fields = {
        "form_data": dict(form_data),
        "version": version,
        "saved_at": clock.now(),
        "submission_key": submission_key,
    }
    own = Draft.objects.of_form(page, incident, step, author, public_id=public_id, submission_key=submission_key)
    if draft := own.select_for_update().first():
        Draft.objects.filter(pk=draft.pk).update(**fields)
        draft.refresh_from_db()
        return draft
    if public_id or _is_used(page, submission_key):
        return None
    return Draft.objects.create(
        page=page,
        incident=incident,
        step=step,
        author_kind=author.kind,
        author_ref=author.ref,
        author_label=author.label,
        **fields,
    )


def _is_used(page: Page, submission_key: str) -> bool:
    if not submission_key:
        return False
    keyed = {"submission_key": submission_key}
    return (
        Draft.objects.with_submission_key(page, submission_key) is not None
        or Incident.objects.filter(page=page, **keyed).exists()
        or IncidentUpdate.objects.filter(incident__page=page, **keyed).exists()
    )


def discard(
    page: Page, incident: Incident | None, step: str, *, author: Actor, public_id: str = "", submission_key: str = ""
) -> None:
    """Delete the draft of a form that was published. Other unfinished drafts of the author stay."""
    Draft.objects.of_form(page, incident, step, author, public_id=public_id, submission_key=submission_key).delete()


@transaction.atomic
def submit(draft: Draft, content: DraftContent, *, publish_at: datetime | None) -> Draft:
    """Submit a draft for publication.

    If the page requires approval, it waits for a second person first. Then it waits until `publish_at`; None means that
    it is published on approval. Raises ValidationError or EditConflict if it could not be published now.
    """
    dry_run(draft, content)
    draft.state = DraftState.REVIEW if draft.page.requires_approval else DraftState.WAITING
    draft.content, draft.publish_at, draft.note, draft.approver = content.as_json(), publish_at, "", ""
    draft.save(update_fields=["state", "content", "publish_at", "note", "approver"])
    details = {"state": draft.state, "publish_at": publish_at.isoformat() if publish_at else None} | _about(draft)
    audit(draft.page, "draft.submitted", draft, actor=draft.author, details=details)
    return draft


def dry_run(draft: Draft, content: DraftContent) -> None:
    """Publish `content` and roll back, to raise the errors that publishing would raise."""
    incident = Incident.objects.select_related("page").get(pk=draft.incident_id) if draft.incident_id else None
    with transaction.atomic():
        actor = replace(draft.author, approver="nobody yet")
        publish_content(content, page=draft.page, incident=incident, actor=actor, expected_version=draft.version)
        transaction.set_rollback(True)


def _locked(draft: Draft, *states: str, seen: str | None) -> Draft:
    """Lock and return the current row.

    Raise ValidationError if it is no longer in one of `states`, or was submitted again since the user loaded it
    (`seen` is the submission key that they saw).
    """
    rows = Draft.objects.with_incident().select_for_update(of=("self",))
    row = rows.filter(pk=draft.pk, state__in=states).first()
    if row is None or (seen is not None and seen != row.submission_key):
        raise ValidationError(GONE)
    return row


@transaction.atomic
def take_back(draft: Draft, *, actor: Actor, note: str = "", seen: str | None = None) -> None:
    """Undo a submission, or return it for changes: it becomes an unfinished draft of its author again.

    Raise ValidationError if it was already published.
    """
    row = _locked(draft, DraftState.WAITING, DraftState.REVIEW, seen=seen)
    row.state, row.publish_at, row.note, row.saved_at = DraftState.WRITING, None, note.strip(), clock.now()
    row.approver = ""
    row.save(update_fields=["state", "publish_at", "note", "saved_at", "approver"])
    audit(row.page, "draft.taken_back", row, actor=actor, details={"note": note.strip()} | _about(row))


@transaction.atomic
def approve(draft: Draft, *, actor: Actor, seen: str | None = None) -> Incident | IncidentUpdate | None:
    """Approve a draft of someone else. Publish and return it now, or return None if it is published later."""
    row = _locked(draft, DraftState.REVIEW, seen=seen)
    if actor.person_key == row.author_key:
        raise ValidationError("You wrote this draft, so another person has to approve it.")
    row.state, row.approver = DraftState.WAITING, actor.label or actor.key
    row.save(update_fields=["state", "approver"])
    audit(row.page, "draft.approved", row, actor=actor, details=_about(row))
    return None if row.publish_at and row.publish_at > clock.now() else publish(row)


@transaction.atomic
def publish(draft: Draft, *, seen: str | None = None, due_at: datetime | None = None) -> Incident | IncidentUpdate:
    """Publish a waiting draft in the name of its author.

    If several processes try at the same time, one succeeds and the others get a ValidationError. `due_at`: publish it
    only if it was due by then. After a ValidationError or EditConflict it keeps waiting.
    """
    row = _locked(draft, DraftState.WAITING, seen=seen)
    if due_at and (row.publish_at is None or row.publish_at > due_at):
        raise ValidationError(GONE)
    content = row.read_content()
    if content is None:
        raise ValidationError(GONE)
    row.delete()
    return publish_content(
        content,
        page=row.page,
        incident=row.incident,
        actor=replace(row.author, approver=row.approver),
        expected_version=row.version,
        submission_key=row.submission_key or f"draft-{row.public_id}",
    )


def publish_due(draft: Draft, *, now: datetime) -> bool:
    """Publish a due draft. If that is not possible, return it to its author with the reason."""
    try:
        publish(draft, due_at=now)
    except EditConflict:
        return return_to_author(draft, OVERTAKEN, now)
    except ApprovalRequired:
        return return_to_author(draft, UNAPPROVED, now)
    except ValidationError as error:
        return return_to_author(draft, " ".join(error.messages), now)
    return True


def return_to_author(draft: Draft, note: str, now: datetime) -> bool:
    """Make a due draft that cannot be published an unfinished one again. `note` is the reason."""
    waiting = Draft.objects.due(now).filter(pk=draft.pk)
    return bool(waiting.update(state=DraftState.WRITING, publish_at=None, note=note, approver=""))


def _about(draft: Draft) -> dict[str, Any]:
    incident = draft.incident.public_id if draft.incident else None
    return {"step": draft.step, "incident": incident, "body": draft.content.get("body", "")}
