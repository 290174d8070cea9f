"""Export a postmortem as Markdown or JSON. For PDF, print the public page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from incidents.models import ActionItem, Incident, Postmortem
from incidents.models.findings import Findings
from incidents.postmortem.evidence import evidence_of
from incidents.postmortem.summary import PostmortemSummary, postmortem_summary_of
from incidents.text.time_shorthand import Clock, expand_times
from incidents.text.wording import moment_text
from incidents.transfer.serialization import plain


@dataclass(frozen=True)
class Document:
    """The published postmortem, or the saved draft if it is not published. `findings` are the saved ones."""

    incident: Incident
    postmortem: Postmortem
    body: str
    summary: PostmortemSummary | None
    findings: Findings
    items: list[ActionItem]


def document_of(postmortem: Postmortem, incident: Incident) -> Document:
    """Return the document. `incident` has its updates prefetched."""
    findings = Findings.read(postmortem.findings, impact_started_at=incident.impact_started_at)
    summary = PostmortemSummary.read(postmortem.account)
    if not postmortem.is_published:
        summary = postmortem_summary_of(findings, evidence_of(incident).facts) if postmortem.findings else None
    body = postmortem.body if postmortem.is_published else postmortem.draft
    return Document(incident, postmortem, body, summary, findings, list(postmortem.action_items.all()))


def as_markdown(document: Document) -> str:
    """Return the public content, with times in the time zone of the page."""
    incident, zone = document.incident, document.incident.page.zone
    overview = [f"- Impact: {incident.get_impact_display()}", f"- Started: {moment_text(incident.happened_at, zone)}"]
    if incident.resolved_at:
        overview.append(f"- Resolved: {moment_text(incident.resolved_at, zone)}")
    parts = [f"# {incident.title}", "\n".join(overview)]
    parts.append(expand_times(document.body, Clock(zone, incident.happened_at)).strip())
    if document.summary:
        parts.append(document.summary.as_markdown(zone))
    if document.items:
        parts.append("\n".join(["## Action items", "", *(_item_line(item) for item in document.items)]))
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(document: Document) -> dict[str, Any]:
    """Return all saved data with times in UTC, including internal lines of the timeline."""
    incident, postmortem, summary = document.incident, document.postmortem, document.summary
    return {
        "incident": {
            "id": incident.public_id,
            "title": incident.title,
            "impact": incident.impact,
            "started_at": plain(incident.happened_at),
            "resolved_at": plain(incident.resolved_at),
        },
        "published_at": plain(postmortem.published_at),
        "edited_at": plain(postmortem.edited_at),
        "approved_by": postmortem.approved_label,
        "body": document.body,
        "findings": document.findings.as_json(),
        "moments": {name: plain(at) for name, at in summary.moments.items()} if summary else {},
        "times_in_seconds": {label: took.total_seconds() for label, took in summary.measures} if summary else {},
        "components": [
            {"id": impact.public_id, "name": impact.name, "seconds": impact.lasted.total_seconds()}
            for impact in summary.component_impacts
        ]
        if summary
        else [],
        "action_items": [_item_json(item) for item in document.items],
    }


def _item_line(item: ActionItem) -> str:
    about = [item.owner, f"due {item.due_on}" if item.due_on and not item.done_at else "", item.url]
    more = ", ".join(part for part in about if part)
    return f"- [{'x' if item.done_at else ' '}] {item.text}{f' ({more})' if more else ''}"


def _item_json(item: ActionItem) -> dict[str, Any]:
    values = {name: plain(getattr(item, name)) for name in ("text", "owner", "due_on", "url", "done_at")}
    return values | {"state": "done" if item.done_at else "open"}
