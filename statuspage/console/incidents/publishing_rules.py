"""Publish a form at once, after the undo window, at a chosen time, or after approval, as the rules of the page say.

The console publishes every text about an incident through `publish_or_defer`.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.http import QueryDict

from incidents import clock
from incidents.actions.drafts import draft_lifecycle
from incidents.models import Draft, DraftState, Incident, IncidentUpdate, Page
from incidents.text.wording import moment_text
from statuspage.accounts.models import User
from statuspage.console.incidents.forms import PublishForm

_NOT_SAVED = (
    "csrfmiddlewaretoken",
    "version",
    "submission_key",
    "save_draft",
    "preview",
    "tab",
    "draft",
    "use_template",
)


def form_data_of(data: QueryDict) -> dict[str, list[str]]:
    """The fields as they were filled in, without those that belong to this one submission."""
    return {
        name: [str(value).replace("\0", "") for value in values]
        for name, values in data.lists()
        if name.rpartition("-")[2] not in _NOT_SAVED
    }


def publish_or_defer(
    form: PublishForm,
    publish: Callable[[], Incident | IncidentUpdate],
    *,
    page: Page,
    incident: Incident | None,
    user: User,
    data: QueryDict,
) -> Incident | IncidentUpdate | Draft:
    """Publish the valid `form` now by calling `publish`, or submit it as a draft that is published later.

    Raises ValidationError and EditConflict as the action does.
    """
    content, publish_at = form.content(), _publish_at(form, page)
    version, key = form.cleaned_data.get("version"), form.cleaned_data["submission_key"]
    author, opened = user.actor, data.get("draft", "").replace("\0", "")
    if not (publish_at or page.requires_approval):
        made = publish()
        draft_lifecycle.discard(page, incident, content.step, author=author, public_id=opened, submission_key=key)
        return made
    if earlier := Draft.objects.with_submission_key(page, key):
        return earlier
    # If the draft that the form was opened with was published meanwhile, this text gets a row of its own.
    for public_id in (opened, ""):
        draft = draft_lifecycle.save(
            page,
            incident,
            content.step,
            form_data=form_data_of(data),
            author=author,
            version=version,
            public_id=public_id,
            submission_key=key,
        )
        if draft:
            return draft_lifecycle.submit(draft, content, publish_at=publish_at)
    raise ValidationError(draft_lifecycle.GONE)


def _publish_at(form: PublishForm, page: Page) -> datetime | None:
    chosen: datetime | None = form.cleaned_data["publish_at"]
    if chosen or page.requires_approval or not page.undo_seconds:
        return chosen
    return clock.now() + timedelta(seconds=page.undo_seconds)


def success_message(made: Incident | IncidentUpdate | Draft, published: str) -> str:
    """Return the message for the author: `published` if the update is public."""
    if not isinstance(made, Draft):
        return published
    if made.state == DraftState.REVIEW:
        return "Approval requested. Nothing is published yet."
    if made.publish_at and made.publish_at > clock.now() + timedelta(minutes=11):
        return f"Scheduled for {moment_text(made.publish_at, made.page.zone)}. Nothing is published yet."
    return "The update is about to be published. You can still undo it."
