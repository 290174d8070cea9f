from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import timezone

from incidents import markup
from incidents.actions import checks
from incidents.actions.recording import record, take_version
from incidents.actor import Actor
from incidents.models import ActionItem, EventKind, Incident, Postmortem, Revision
from incidents.shorthand import Clock

MAX_ACTION_ITEMS = 50


@dataclass(frozen=True)
class ActionItemDraft:
    """An action item as typed. `pk` names the one it changes; None makes a new one."""

    text: str
    owner: str = ""
    due_on: date | None = None
    url: str = ""
    done: bool = False
    pk: int | None = None


@transaction.atomic
def save_draft(
    incident: Incident,
    *,
    body: str,
    actor: Actor,
    action_items: Sequence[ActionItemDraft] | None = None,
    expected_version: int | None = None,
) -> Postmortem:
    """Keep what was written so far; visitors see nothing of it. `action_items` replaces the list, None leaves it.

    Action items of a published postmortem are public at once: they say what is done, the text says what was.
    `expected_version` is the postmortem's (0: there was none yet).
    """
    postmortem = _locked(incident, expected_version)
    text = markup.check_size(body) if body.strip() else ""
    postmortem.draft = text
    postmortem.save(update_fields=["draft"])
    if action_items is not None and _replace_items(postmortem, action_items):
        record(
            incident.page,
            EventKind.ACTION_ITEM_CHANGED,
            postmortem,
            actor=actor,
            details={"action_items": [[item.text, item.owner, item.done] for item in action_items]},
            incident=incident,
            postmortem=postmortem,
        )
    return postmortem


@transaction.atomic
def publish(
    incident: Incident,
    *,
    body: str,
    actor: Actor,
    action_items: Sequence[ActionItemDraft] | None = None,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
) -> Postmortem:
    """Publish `body` as the postmortem of a resolved incident; of a published one, revise it and keep the old text.

    `at` backdates the first publication; a revision keeps that time and is marked as edited now.
    """
    if not incident.is_resolved:
        raise ValidationError({"body": "Resolve the incident before you publish its postmortem."})
    text, html = checks.body(body, clock=Clock(incident.page.zone, incident.happened_at))
    at = checks.moment(at, not_before=incident.started_at)
    published = Postmortem.objects.filter(incident=incident, published_at__isnull=False, body=text).first()
    if published and (action_items is None or _as_drafted(published) == [_typed(item) for item in action_items]):
        return published
    postmortem = save_draft(
        incident, body=text, actor=actor, action_items=action_items, expected_version=expected_version
    )
    if postmortem.is_published and postmortem.body == text:
        return postmortem
    if postmortem.body and postmortem.body != text:
        Revision.objects.create(
            postmortem=postmortem,
            body=postmortem.body,
            change_html=markup.change_html(postmortem.body, text),
            actor_label=actor.label,
        )
        postmortem.edited_at = timezone.now()
    kind = EventKind.POSTMORTEM_REVISED if postmortem.is_published else EventKind.POSTMORTEM_PUBLISHED
    postmortem.body, postmortem.body_html = text, html
    postmortem.published_at = postmortem.published_at or at
    postmortem.save(update_fields=["body", "body_html", "published_at", "edited_at"])
    Incident.objects.filter(pk=incident.pk).update(updated_at=timezone.now())
    record(
        incident.page,
        kind,
        postmortem,
        actor=actor,
        notify=notify and kind == EventKind.POSTMORTEM_PUBLISHED,
        details={"body": text},
        incident=incident,
        postmortem=postmortem,
    )
    return postmortem


@transaction.atomic
def retract(postmortem: Postmortem, *, actor: Actor, expected_version: int | None = None) -> Postmortem:
    """Take a published postmortem off the page. Its text becomes the draft again; mails not yet sent are cancelled."""
    take_version(postmortem, expected_version)
    if not postmortem.is_published:
        raise ValidationError("This postmortem is not published.")
    postmortem.published_at = None
    postmortem.save(update_fields=["published_at"])
    incident = postmortem.incident
    Incident.objects.filter(pk=incident.pk).update(updated_at=timezone.now())
    record(
        incident.page,
        EventKind.POSTMORTEM_RETRACTED,
        postmortem,
        actor=actor,
        incident=incident,
        postmortem=postmortem,
    )
    return postmortem


def _locked(incident: Incident, expected_version: int | None) -> Postmortem:
    """The incident's postmortem, made if there is none, with its version counted up."""
    postmortem, made = Postmortem.objects.get_or_create(incident=incident)
    if not made:
        take_version(postmortem, expected_version)
    return postmortem


def _replace_items(postmortem: Postmortem, drafts: Sequence[ActionItemDraft]) -> bool:
    """True if anything changed. Items that are not in `drafts` go; the audit log keeps the list as it was saved."""
    if len(drafts) > MAX_ACTION_ITEMS:
        raise ValidationError(
            {"action_items": f"There are {len(drafts)} action items; {MAX_ACTION_ITEMS} are allowed."}
        )
    existing = {item.pk: item for item in postmortem.action_items.all()}
    before = [_content(item) for item in existing.values()]
    kept: list[ActionItem] = []
    for position, draft in enumerate(drafts, start=1):
        item = existing.get(draft.pk or 0) or ActionItem(postmortem=postmortem)
        item.text = checks.line(draft.text, field="action_items", what="An action item's text", max_length=500)
        item.owner = draft.owner.strip()
        item.due_on = draft.due_on
        item.url = _web_address(draft.url.strip())
        item.position = position
        item.done_at = (item.done_at or timezone.now()) if draft.done else None
        item.save()
        kept.append(item)
    postmortem.action_items.exclude(pk__in=[item.pk for item in kept]).delete()
    return before != [_content(item) for item in kept]


def _content(item: ActionItem) -> tuple[object, ...]:
    return item.text, item.owner, item.due_on, item.url, item.done_at, item.position


def _typed(draft: ActionItemDraft) -> tuple[object, ...]:
    return draft.text.strip(), draft.owner.strip(), draft.due_on, draft.url.strip(), draft.done


def _as_drafted(postmortem: Postmortem) -> list[tuple[object, ...]]:
    items = postmortem.action_items.all()
    return [(item.text, item.owner, item.due_on, item.url, item.done_at is not None) for item in items]


def _web_address(url: str) -> str:
    try:
        if url:
            URLValidator(schemes=["http", "https"])(url)
    except ValidationError:
        raise ValidationError({"action_items": f"“{url}” is not a web address (https://…)."}) from None
    return url
