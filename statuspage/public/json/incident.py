"""One incident with all that there is to know of it: `/incidents/<code>.json` (contract section 1.1).

Statuspage's keys in the order of its webhooks (contract section 4.1), and ours under `candor` at the end.
"""

from django.db.models import prefetch_related_objects

from incidents.models import ActionItem, Event, Incident, IncidentUpdate, Page, Postmortem, Revision
from incidents.postmortem.summary import PostmortemSummary
from incidents.statuspage_json import Json, Wire, published_postmortem
from incidents.text.time_shorthand import postmortem_told
from incidents.visibility import Viewer
from statuspage.common.json_responses import wire_of
from statuspage.public.json.v2 import rows_of, shown_keys

_UPDATE_KEYS = ("id", "incident_id")


def incident_body(page: Page, code: str) -> Json | None:
    """None if there is nothing to show. Eleven queries at most."""
    visible = page.incidents.visible_to(Viewer.PUBLIC).with_timeline()
    incident = visible.prefetch_related("updates__revisions", "reminders").filter(public_id=code).first()
    if incident is None:
        return None
    postmortem = published_postmortem(incident)
    if postmortem:
        prefetch_related_objects([postmortem], "action_items", "revisions")
    wire = wire_of(page)
    row = wire.maintenance if incident.is_maintenance else wire.incident
    told = row(incident, rows_of(incident, shown_keys(page)))
    begin = ("name", "status", "created_at", "updated_at", "monitoring_at", "resolved_at", "impact", "shortlink")
    return {
        **{name: told[name] for name in (*begin, "started_at")},
        **_postmortem(wire, postmortem),
        "backfilled": False,
        **_schedule(wire, incident),
        **{name: told[name] for name in ("id", "page_id")},
        "incident_updates": [_update(update) for update in told["incident_updates"]],
        "components": told["components"],
        "reminder_intervals": None,
        "candor": {
            "kind": incident.kind,
            "edited": [_edits(wire, update) for update in incident.updates.all() if update.revisions.all()],
            "postmortem": _ours(wire, postmortem) if postmortem else None,
            "cancelled_at": wire.time_or_none(incident.cancelled_at),
        },
    }


def _postmortem(wire: Wire, postmortem: Postmortem | None) -> Json:
    written_at = (postmortem.edited_at or postmortem.published_at) if postmortem else None
    return {
        "postmortem_ignored": False,
        "postmortem_body": postmortem_told(postmortem, postmortem.incident) if postmortem else None,
        "postmortem_body_last_updated_at": wire.time_or_none(written_at),
        "postmortem_published_at": wire.time_or_none(postmortem.published_at if postmortem else None),
        "postmortem_notified_subscribers": postmortem is not None
        and Event.objects.telling().about(postmortem).exists(),
        "postmortem_notified_twitter": False,
    }


def _schedule(wire: Wire, incident: Incident) -> Json:
    is_planned = incident.is_maintenance
    reminders = list(incident.reminders.all())
    reminded = [reminder.sent_at for reminder in reminders if reminder.sent_at]
    return {
        "scheduled_for": wire.time_or_none(incident.scheduled_for),
        "scheduled_until": wire.time_or_none(incident.scheduled_until),
        "scheduled_remind_prior": bool(reminders),
        "scheduled_reminded_at": wire.time_or_none(max(reminded, default=None)),
        "impact_override": incident.impact_override or None,
        "scheduled_auto_in_progress": is_planned and incident.auto_start,
        "scheduled_auto_completed": is_planned and incident.auto_complete,
    }


def _update(row: Json) -> Json:
    """As webhooks have it: two keys more, and the ids last."""
    head = ("status", "body", "created_at")
    tail = ("display_at", "affected_components", "custom_tweet", "deliver_notifications", "tweet_id")
    return {
        **{name: row[name] for name in head},
        "wants_twitter_update": False,
        "twitter_updated_at": None,
        "updated_at": row["updated_at"],
        **{name: row[name] for name in (*tail, *_UPDATE_KEYS)},
    }


def _edits(wire: Wire, update: IncidentUpdate) -> Json:
    return {
        "update_id": update.public_id,
        "edited_at": wire.time_or_none(update.edited_at),
        "revisions": [_revision(wire, one) for one in update.revisions.all()],
    }


def _revision(wire: Wire, revision: Revision) -> Json:
    """A text that was public until `replaced_at`."""
    return {"body": revision.body, "replaced_at": wire.time(revision.created_at)}


def _ours(wire: Wire, postmortem: Postmortem) -> Json:
    return {
        "edited_at": wire.time_or_none(postmortem.edited_at),
        "revisions": [_revision(wire, one) for one in postmortem.revisions.all()],
        "action_items": [_action_item(wire, item) for item in postmortem.action_items.all()],
        **_account(wire, PostmortemSummary.read(postmortem.account)),
    }


def _account(wire: Wire, account: PostmortemSummary | None) -> Json:
    """What stands beside the text, as it was published; empty where nothing does."""
    lines, harms = (account.lines, account.harms) if account else ((), ())
    return {
        "timeline": [{"at": wire.time(line.at), "text": line.text} for line in lines],
        "moments": {name: wire.time(at) for name, at in account.moments.items()} if account else {},
        "components": [{"name": harm.name, "seconds": round(harm.lasted.total_seconds())} for harm in harms],
        "factors": list(account.factors) if account else [],
    }


def _action_item(wire: Wire, item: ActionItem) -> Json:
    return {
        "text": item.text,
        "owner": item.owner or None,
        "due_on": item.due_on.isoformat() if item.due_on else None,
        "done_at": wire.time_or_none(item.done_at),
        "url": item.url or None,
    }
