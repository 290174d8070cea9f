"""Publish an update now, after the undo period, at a scheduled time, or after approval, as the page's rules require.

Every update that the console publishes goes through `publish_or_defer`.
"""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone

from incidents.actions.drafts import draft_lifecycle
from incidents.models import Draft, DraftState, Incident, IncidentUpdate, Page
from incidents.text.wording import moment_text
from statuspage.accounts.models import User
from statuspage.console.incidents.forms import PublishForm

_NOT_TYPED = (
    "csrfmiddlewaretoken",
    "version",
    "submission_key",
    "save_draft",
    "preview",
    "tab",
    "draft",
    "use_template",
)


def typed_in(data: QueryDict) -> dict[str, list[str]]:
    """Return the form values without those that belong to a single submission."""
    return {
        name: [str(value).replace("\0", "") for value in values]
        for name, values in data.lists()
        if name.rpartition("-")[2] not in _NOT_TYPED
    }


def publish_or_defer(
    form: PublishForm, step: str, *, page: Page, incident: Incident | None, user: User, data: QueryDict
) -> Incident | IncidentUpdate | Draft:
    """Publish the valid `form`, or submit it as a draft. Raise ValidationError or EditConflict as the actions do."""
    content, version = form.content(), form.cleaned_data.get("version")
    key, publish_at = form.cleaned_data["submission_key"], _publish_at(form, page)
    draft_fields: dict[str, Any] = {
        "author": user.actor,
        "named": data.get("draft", "").replace("\0", ""),
        "submission_key": key,
    }
    if not (publish_at or page.requires_approval):
        target: dict[str, Any] = {"page": page, "incident": incident, "actor": user.actor}
        made = draft_lifecycle.publish_content(step, content, expected_version=version, submission_key=key, **target)
        draft_lifecycle.discard(page, incident, step, **draft_fields)
        return made
    if earlier := Draft.objects.sent_with(page, key):
        return earlier
    # If the draft was submitted or discarded in the meantime, create a new one.
    typed = typed_in(data)
    draft = draft_lifecycle.save(
        page, incident, step, typed=typed, version=version, **draft_fields
    ) or draft_lifecycle.save(page, incident, step, typed=typed, version=version, **draft_fields | {"named": ""})
    if draft is None:
        raise ValidationError(draft_lifecycle.GONE)
    return draft_lifecycle.submit(draft, content, publish_at=publish_at)


def _publish_at(form: PublishForm, page: Page) -> datetime | None:
    chosen: datetime | None = form.cleaned_data["publish_at"]
    if chosen or page.requires_approval or not page.undo_seconds:
        return chosen
    return timezone.now() + timedelta(seconds=page.undo_seconds)


def success_message(made: Incident | IncidentUpdate | Draft, published: str) -> str:
    """Return the message for the author: `published` if the update is public."""
    if not isinstance(made, Draft):
        return published
    if made.state == DraftState.REVIEW:
        return "Approval requested. Nothing is published yet."
    if made.publish_at and made.publish_at > timezone.now() + timedelta(minutes=11):
        return f"Scheduled for {moment_text(made.publish_at, made.page.zone)}. Nothing is published yet."
    return "The update is about to be published. You can still undo it."
