"""From a form to the page: at once, in a moment, later, or after a second person has read it, as the page's rules say.

Every text about an incident that the console publishes goes through `send`.
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
    """The form as it was filled in, without what belongs to this one sending of it."""
    return {
        name: [str(value).replace("\0", "") for value in values]
        for name, values in data.lists()
        if name.rpartition("-")[2] not in _NOT_TYPED
    }


def publish_or_defer(
    form: PublishForm, step: str, *, page: Page, incident: Incident | None, user: User, data: QueryDict
) -> Incident | IncidentUpdate | Draft:
    """Publish what the valid `form` says, or put it on its way. ValidationError and EditConflict as of the actions."""
    content, version = form.content(), form.cleaned_data.get("version")
    key, publish_at = form.cleaned_data["submission_key"], _publish_at(form, page)
    kept: dict[str, Any] = {
        "author": user.actor,
        "named": data.get("draft", "").replace("\0", ""),
        "submission_key": key,
    }
    if not (publish_at or page.requires_approval):
        about: dict[str, Any] = {"page": page, "incident": incident, "actor": user.actor}
        made = draft_lifecycle.publish_content(step, content, expected_version=version, submission_key=key, **about)
        draft_lifecycle.discard(page, incident, step, **kept)
        return made
    if earlier := Draft.objects.sent_with(page, key):
        return earlier
    # A draft that went its own way meanwhile is another text: this one gets a row of its own.
    typed = typed_in(data)
    draft = draft_lifecycle.save(page, incident, step, typed=typed, version=version, **kept) or draft_lifecycle.save(
        page, incident, step, typed=typed, version=version, **kept | {"named": ""}
    )
    if draft is None:
        raise ValidationError(draft_lifecycle.GONE)
    return draft_lifecycle.submit(draft, content, publish_at=publish_at)


def _publish_at(form: PublishForm, page: Page) -> datetime | None:
    chosen: datetime | None = form.cleaned_data["publish_at"]
    if chosen or page.requires_approval or not page.undo_seconds:
        return chosen
    return timezone.now() + timedelta(seconds=page.undo_seconds)


def success_message(made: Incident | IncidentUpdate | Draft, said: str) -> str:
    """What to tell its author: `said` if it is published."""
    if not isinstance(made, Draft):
        return said
    if made.state == DraftState.REVIEW:
        return "Waiting for a second person to approve it. Nothing is published yet."
    if made.publish_at and made.publish_at > timezone.now() + timedelta(minutes=11):
        return f"It will be published {moment_text(made.publish_at, made.page.zone)}. Nothing is published yet."
    return "It goes out in a moment. You can still take it back."
