"""The review of a draft postmortem: comments, and the approval of another person."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from incidents.actions._audit import audit, take_version
from incidents.actor import Actor
from incidents.models import Postmortem, PostmortemComment

OWN_TEXT = "You made the last change, so another person has to approve it."
UNKNOWN_AUTHOR = "The author of this postmortem is unknown. Save it once, then request approval."
MAX_COMMENT = 5000


@transaction.atomic
def request_approval(postmortem: Postmortem, *, actor: Actor, expected_version: int | None = None) -> Postmortem:
    """Request approval of the saved draft. ValidationError if it has no text."""
    take_version(postmortem, expected_version)
    if not postmortem.draft.strip():
        raise ValidationError({"body": "Enter a text."})
    postmortem.review_requested_at = timezone.now()
    postmortem.save(update_fields=["review_requested_at"])
    audit(postmortem.incident.page, "postmortem.submitted", postmortem, actor=actor)
    return postmortem


@transaction.atomic
def approve(postmortem: Postmortem, *, actor: Actor, note: str = "", expected_version: int | None = None) -> Postmortem:
    """Approve the draft. The actor must not be its last editor.

    The approval is valid until the text, the findings or the action items change. `note` is added as a comment.
    """
    take_version(postmortem, expected_version)
    if not postmortem.edited_by:
        raise ValidationError({"body": UNKNOWN_AUTHOR})
    if actor.person_ref == postmortem.edited_by:
        raise ValidationError({"body": OWN_TEXT})
    postmortem.approved, postmortem.approved_by = postmortem.content(), actor.ref
    postmortem.approved_label, postmortem.review_requested_at = actor.label, None
    postmortem.save(update_fields=["approved", "approved_by", "approved_label", "review_requested_at"])
    audit(postmortem.incident.page, "postmortem.approved", postmortem, actor=actor, details={"body": postmortem.draft})
    if note.strip():
        comment(postmortem, body=note, actor=actor)
    return postmortem


@transaction.atomic
def return_for_changes(
    postmortem: Postmortem, *, note: str, actor: Actor, expected_version: int | None = None
) -> PostmortemComment:
    """Return the draft for changes. `note` describes them and is added as a comment."""
    take_version(postmortem, expected_version)
    postmortem.review_requested_at = None
    postmortem.save(update_fields=["review_requested_at"])
    audit(postmortem.incident.page, "postmortem.returned", postmortem, actor=actor, details={"note": note.strip()})
    return comment(postmortem, body=note, actor=actor)


@transaction.atomic
def comment(postmortem: Postmortem, *, body: str, actor: Actor) -> PostmortemComment:
    text = body.replace("\r\n", "\n").strip()
    if not text:
        raise ValidationError({"comment": "Enter a text."})
    if len(text) > MAX_COMMENT:
        raise ValidationError({"comment": f"This is {len(text):,} characters long; {MAX_COMMENT:,} are allowed."})
    created = PostmortemComment.objects.create(
        postmortem=postmortem, body=text, author_ref=actor.ref, author_label=actor.label
    )
    audit(postmortem.incident.page, "postmortem.commented", postmortem, actor=actor, details={"comment": text})
    return created


@transaction.atomic
def set_resolved(comment: PostmortemComment, *, actor: Actor, resolved: bool) -> None:
    """Mark a comment as resolved, or reopen it."""
    comment.settled_at, comment.settled_by = (timezone.now(), actor.label) if resolved else (None, "")
    comment.save(update_fields=["settled_at", "settled_by"])
    verb = "postmortem.comment_settled" if resolved else "postmortem.comment_reopened"
    audit(comment.postmortem.incident.page, verb, comment.postmortem, actor=actor, details={"comment": comment.body})
