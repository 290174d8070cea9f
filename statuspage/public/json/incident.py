"""`/incidents/<id>.json`: one incident with everything that the page shows of it (contract section 1.1).

Statuspage's keys in the order of its webhooks (contract section 4.1), then Candor's own keys under `candor`.
"""

from django.db.models import prefetch_related_objects

from incidents.models import ActionItem, Event, IncidentUpdate, Page, Postmortem, Revision
from incidents.postmortem.summary import PostmortemSummary
from incidents.statuspage_json import IncidentSerializer, Json, published_postmortem
from incidents.visibility import Viewer
from statuspage.common.urls import absolute_url
from statuspage.public.json.v2 import components_on_page, ids_of_shown
from statuspage.public.page_state import shown_components


def incident_body(page: Page, public_id: str) -> Json | None:
    """Return the body, or None if there is no such public incident. Costs at most eleven queries."""
    visible = page.incidents.visible_to(Viewer.PUBLIC).with_details()
    incident = visible.prefetch_related("updates__revisions", "reminders").filter(public_id=public_id).first()
    if incident is None:
        return None
    postmortem = published_postmortem(incident)
    if postmortem:
        prefetch_related_objects([postmortem], "action_items", "revisions")
    is_notified = postmortem is not None and Event.objects.notifying().about(postmortem).exists()
    serializer = IncidentSerializer(page, absolute_url(page, ""))
    components = components_on_page(incident, ids_of_shown(shown_components(page)))
    return serializer.incident(incident, components, is_notified=is_notified) | {
        "candor": {
            "kind": incident.kind,
            "edited": [_edits(serializer, update) for update in incident.updates.all() if update.revisions.all()],
            "postmortem": _postmortem(serializer, postmortem) if postmortem else None,
            "cancelled_at": serializer.time_or_none(incident.cancelled_at),
        }
    }


def _edits(serializer: IncidentSerializer, update: IncidentUpdate) -> Json:
    return {
        "update_id": update.public_id,
        "edited_at": serializer.time_or_none(update.edited_at),
        "revisions": [_revision(serializer, revision) for revision in update.revisions.all()],
    }


def _revision(serializer: IncidentSerializer, revision: Revision) -> Json:
    """A text that was public until `replaced_at`."""
    return {"body": revision.body, "replaced_at": serializer.time(revision.created_at)}


def _postmortem(serializer: IncidentSerializer, postmortem: Postmortem) -> Json:
    return {
        "edited_at": serializer.time_or_none(postmortem.edited_at),
        "revisions": [_revision(serializer, revision) for revision in postmortem.revisions.all()],
        "action_items": [_action_item(serializer, item) for item in postmortem.action_items.all()],
        **_summary(serializer, PostmortemSummary.read(postmortem.account)),
    }


def _summary(serializer: IncidentSerializer, summary: PostmortemSummary | None) -> Json:
    """The parts beside the text, as they were published. Empty if there are none."""
    lines, impacts = (summary.lines, summary.component_impacts) if summary else ((), ())
    return {
        "timeline": [{"at": serializer.time(line.at), "text": line.text} for line in lines],
        "moments": {name: serializer.time(at) for name, at in summary.moments.items()} if summary else {},
        "components": [{"name": impact.name, "seconds": round(impact.lasted.total_seconds())} for impact in impacts],
        "factors": list(summary.factors) if summary else [],
    }


def _action_item(serializer: IncidentSerializer, item: ActionItem) -> Json:
    return {
        "text": item.text,
        "owner": item.owner or None,
        "due_on": item.due_on.isoformat() if item.due_on else None,
        "done_at": serializer.time_or_none(item.done_at),
        "url": item.url or None,
    }
