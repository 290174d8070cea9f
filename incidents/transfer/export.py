"""Export a page as plain objects, in the order in which they can be restored. One incident is in memory at a time.

The restore_* modules read them. The format is documented in docs/export-format.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Prefetch

from incidents.models import AffectedComponent, IncidentUpdate, Page, Revision, ServiceTarget
from incidents.transfer.serialization import columns, plain, written

CHUNK = 200


def objects(page: Page) -> Iterator[dict[str, Any]]:
    """Yield each object with its `type`. The audit log is separate, because it comes after the subscribers."""
    yield {"type": "page", **written(page)}
    grounds = {"light": page.logo, "dark": page.logo_dark}
    yield from ({"type": "logo", "ground": ground, **written(logo)} for ground, logo in grounds.items() if logo)
    for group in page.groups.order_by("pk"):
        yield {"type": "group", **written(group)}
    for component in page.components.select_related("group").order_by("pk"):
        yield {"type": "component", "group": component.group and component.group.public_id, **written(component)}
    for target in ServiceTarget.objects.of_page(page).select_related("component").order_by("pk"):
        yield {"type": "target", "component": target.component.public_id, **written(target)}
    for series in page.maintenance_series.prefetch_related("components").order_by("pk"):
        public_ids = [component.public_id for component in series.components.order_by("pk")]
        yield {"type": "series", "components": public_ids, **written(series)}
    for template in page.incident_templates.prefetch_related("components").order_by("pk"):
        public_ids = [component.public_id for component in template.components.order_by("pk")]
        yield {"type": "preset", "components": public_ids, **written(template)}
    yield from _metrics(page)
    yield from _incidents(page)
    pairs = page.incidents.exclude(merged_into=None).order_by("pk").values_list("public_id", "merged_into__public_id")
    yield from ({"type": "merged", "public_id": public_id, "into": into} for public_id, into in pairs.iterator())
    for component in page.components.order_by("pk"):
        yield {"type": "history", "component": component.public_id, "intervals": _intervals(component.intervals.all())}


def audit_entries(page: Page) -> Iterator[dict[str, Any]]:
    for entry in page.audit_entries.order_by("pk").iterator(chunk_size=CHUNK):
        yield {"type": "audit", **written(entry)}


def _metrics(page: Page) -> Iterator[dict[str, Any]]:
    """Yield the providers, then each metric with its points. The points of one metric are in memory at a time."""
    for provider in page.metrics_providers.order_by("pk"):
        yield {"type": "metrics_provider", **written(provider)}
    for metric in page.metrics.select_related("provider").order_by("pk"):
        points = [[plain(at), value] for at, value in metric.points.order_by("at").values_list("at", "value")]
        yield {
            "type": "metric",
            "provider": metric.provider and metric.provider.public_id,
            **written(metric),
            "points": points,
        }


def _incidents(page: Page) -> Iterator[dict[str, Any]]:
    revisions = Prefetch("revisions", Revision.objects.order_by("pk"))
    affected = Prefetch("affected", AffectedComponent.objects.select_related("component").order_by("pk"))
    updates = Prefetch("updates", IncidentUpdate.objects.order_by("pk").prefetch_related(affected, revisions))
    rows = page.incidents.select_related("series", "postmortem").order_by("pk")
    postmortems = Prefetch("postmortem__revisions", Revision.objects.order_by("pk"))
    rows = rows.prefetch_related(updates, postmortems, "postmortem__action_items", "postmortem__comments", "reminders")
    for incident in rows.iterator(chunk_size=CHUNK):
        postmortem = getattr(incident, "postmortem", None)
        yield {
            "type": "incident",
            "series": incident.series and incident.series.public_id,
            **written(incident),
            "updates": [_update(update) for update in incident.updates.all()],
            "postmortem": postmortem and _postmortem(postmortem),
            "reminders": [written(reminder) for reminder in incident.reminders.all()],
        }


def _update(update: IncidentUpdate) -> dict[str, Any]:
    affected = [{"component": row.component.public_id, **written(row)} for row in update.affected.all()]
    return {**written(update), "affected": affected, "revisions": [written(row) for row in update.revisions.all()]}


def _postmortem(postmortem: Any) -> dict[str, Any]:
    return {
        **written(postmortem),
        "action_items": [written(item) for item in postmortem.action_items.all()],
        "comments": [written(comment) for comment in postmortem.comments.all()],
        "revisions": [written(revision) for revision in postmortem.revisions.all()],
    }


def _intervals(rows: Any) -> list[dict[str, Any]]:
    names = columns(rows.model)
    return [
        {"update": update, **{name: plain(value) for name, value in zip(names, values, strict=True)}}
        for update, *values in rows.order_by("pk").values_list("update__public_id", *names)
    ]
