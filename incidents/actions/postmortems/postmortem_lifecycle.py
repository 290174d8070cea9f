from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from incidents.actions import checks
from incidents.actions._audit import record, take_version
from incidents.actions.postmortems import finding_changes as finding_actions
from incidents.actions.postmortems.action_items import ActionItemDraft, drafts_of, replace_items
from incidents.actor import Actor
from incidents.models import EventKind, Incident, Postmortem, Revision
from incidents.models.findings import Findings
from incidents.postmortem.summary import PostmortemSummary
from incidents.text import markdown
from incidents.text.time_shorthand import Clock

UNAPPROVED = "This page requires approval before a postmortem is published. Request approval first."
FIXED_ITEMS = "The action items are public. Unpublish the postmortem to change more than their completion."


@transaction.atomic
def save_draft(
    incident: Incident,
    *,
    body: str,
    actor: Actor,
    action_items: Sequence[ActionItemDraft] | None = None,
    findings: Findings | None = None,
    expected_version: int | None = None,
) -> Postmortem:
    """Save a draft, which visitors do not see. `action_items` and `findings` replace the saved ones; None keeps them.

    If the postmortem is published, changes to its action items are public immediately, and so is the start of the
    impact if analytics are public. If postmortems need approval, only the completion of published items can change.
    `expected_version` is the version of the postmortem (0: it did not exist yet).
    """
    postmortem = _locked(incident, expected_version)
    before, items_before = postmortem.content(), postmortem.items_content()
    postmortem.draft = markdown.check_size(body) if body.strip() else ""
    if findings is not None:
        finding_actions.save_findings(postmortem, incident, findings, actor=actor)
    if action_items is not None and replace_items(postmortem, action_items):
        record(
            incident.page,
            EventKind.ACTION_ITEM_CHANGED,
            postmortem,
            actor=actor,
            details={"action_items": [[item.text, item.owner, item.done] for item in action_items]},
            incident=incident,
            postmortem=postmortem,
        )
        _check_public_items(incident, postmortem, items_before)
    if before != postmortem.content() or not postmortem.edited_by:
        # The approval, or the request for it, was for a different text.
        postmortem.edited_by, postmortem.review_requested_at = actor.person_ref, None
    postmortem.save(update_fields=["draft", "findings", "edited_by", "review_requested_at"])
    return postmortem


@transaction.atomic
def publish(
    incident: Incident,
    *,
    body: str,
    actor: Actor,
    action_items: Sequence[ActionItemDraft] | None = None,
    findings: Findings | None = None,
    notify: bool = True,
    at: datetime | None = None,
    expected_version: int | None = None,
) -> Postmortem:
    """Publish `body` as the postmortem of a resolved incident. If one is published, save its text as a revision.

    `at` backdates the first publication. A revision keeps that time and is marked as edited now.
    """
    text, html = checks.body(body, clock=Clock(incident.page.zone, incident.happened_at))
    at = checks.moment(at, not_before=incident.started_at)
    if published := _unchanged_postmortem(incident, text, action_items, findings):
        return published
    postmortem = save_draft(
        incident,
        body=text,
        actor=actor,
        action_items=action_items,
        findings=findings,
        expected_version=expected_version,
    )
    _check_publishable(incident, postmortem)
    summary = finding_actions.summary_to_publish(postmortem, incident)
    if postmortem.is_published and postmortem.body == text and _as_json(summary) == postmortem.account:
        return postmortem
    _save_revision(postmortem, incident, text, summary, actor)
    kind = EventKind.POSTMORTEM_REVISED if postmortem.is_published else EventKind.POSTMORTEM_PUBLISHED
    postmortem.body, postmortem.body_html, postmortem.account = text, html, _as_json(summary)
    postmortem.published_at = postmortem.published_at or at
    postmortem.save(update_fields=["body", "body_html", "account", "published_at", "edited_at"])
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
    """Unpublish a postmortem. Its text becomes the draft again, and unsent emails are canceled."""
    incident = postmortem.incident
    _lock(incident)
    take_version(postmortem, expected_version)
    if not postmortem.is_published:
        raise ValidationError("This postmortem is not published.")
    postmortem.published_at = None
    postmortem.save(update_fields=["published_at"])
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
    """Lock the incident. Get or create its postmortem and increment its version."""
    _lock(incident)
    postmortem, created = Postmortem.objects.get_or_create(incident=incident)
    if not created:
        take_version(postmortem, expected_version)
        postmortem.incident = incident
    return postmortem


def _lock(incident: Incident) -> None:
    """Lock the incident before its postmortem, in the same order as new updates, and reload changed fields."""
    rows = Incident.objects.select_for_update(no_key=True)
    incident.refresh_from_db(fields=["status", "impact_started_at"], from_queryset=rows)


def _unchanged_postmortem(
    incident: Incident, text: str, items: Sequence[ActionItemDraft] | None, findings: Findings | None
) -> Postmortem | None:
    """Return the published postmortem if its content is the same, so that a second click publishes nothing."""
    published = Postmortem.objects.filter(incident=incident, published_at__isnull=False, body=text).first()
    if published is None or published.has_unpublished_changes:
        return None
    same_items = items is None or drafts_of(published) == [item.content for item in items]
    same_findings = findings is None or findings.in_order() == published.stated()
    return published if same_items and same_findings else None


def _check_public_items(incident: Incident, postmortem: Postmortem, before: list[list[str]]) -> None:
    if incident.page.reviews_postmortems and postmortem.is_published and postmortem.items_content() != before:
        raise ValidationError({"action_items": FIXED_ITEMS})


def _check_publishable(incident: Incident, postmortem: Postmortem) -> None:
    if not incident.is_resolved:
        raise ValidationError({"body": "Resolve the incident before you publish its postmortem."})
    if incident.page.reviews_postmortems and not postmortem.is_approved_for(postmortem.content()):
        raise ValidationError({"body": UNAPPROVED})


def _save_revision(
    postmortem: Postmortem, incident: Incident, text: str, summary: PostmortemSummary | None, actor: Actor
) -> None:
    """Save the previously published text as a revision if it differs."""
    old = finding_actions.published_text(postmortem.body, PostmortemSummary.read(postmortem.account), incident)
    new = finding_actions.published_text(text, summary, incident)
    if not postmortem.body or old == new:
        return
    change = markdown.change_html(old, new)
    Revision.objects.create(postmortem=postmortem, body=old, change_html=change, actor_label=actor.label)
    postmortem.edited_at = timezone.now()


def _as_json(summary: PostmortemSummary | None) -> dict[str, object]:
    return summary.as_json() if summary else {}
