"""A postmortem as a file: Markdown for people, JSON for programs. PDF is the public page, printed."""

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
    """As it is published, or if it is not, as it is saved. `findings` are the saved ones."""

    incident: Incident
    postmortem: Postmortem
    body: str
    account: PostmortemSummary | None
    findings: Findings
    items: list[ActionItem]


def document_of(postmortem: Postmortem, incident: Incident) -> Document:
    """`incident` comes with its timeline."""
    findings = Findings.read(postmortem.findings, impact_started_at=incident.impact_started_at)
    account = PostmortemSummary.read(postmortem.account)
    if not postmortem.is_published:
        account = postmortem_summary_of(findings, evidence_of(incident).facts) if postmortem.findings else None
    body = postmortem.body if postmortem.is_published else postmortem.draft
    return Document(incident, postmortem, body, account, findings, list(postmortem.action_items.all()))


def as_markdown(document: Document) -> str:
    """What visitors read, in the page's zone."""
    incident, zone = document.incident, document.incident.page.zone
    facts = [f"- Impact: {incident.get_impact_display()}", f"- Started: {moment_text(incident.happened_at, zone)}"]
    if incident.resolved_at:
        facts.append(f"- Resolved: {moment_text(incident.resolved_at, zone)}")
    parts = [f"# {incident.title}", "\n".join(facts)]
    parts.append(expand_times(document.body, Clock(zone, incident.happened_at)).strip())
    if document.account:
        parts.append(document.account.as_markdown(zone))
    if document.items:
        parts.append("\n".join(["## Action items", "", *(_item_line(item) for item in document.items)]))
    return "\n\n".join(part for part in parts if part) + "\n"


def as_json(document: Document) -> dict[str, Any]:
    """Everything that is kept, in UTC; of the timeline also the lines that visitors do not see."""
    incident, postmortem, account = document.incident, document.postmortem, document.account
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
        "moments": {name: plain(at) for name, at in account.moments.items()} if account else {},
        "times_in_seconds": {label: took.total_seconds() for label, took in account.measures} if account else {},
        "components": [
            {"id": harm.public_id, "name": harm.name, "seconds": harm.lasted.total_seconds()}
            for harm in account.component_impacts
        ]
        if account
        else [],
        "action_items": [_item_json(item) for item in document.items],
    }


def _item_line(item: ActionItem) -> str:
    about = [item.owner, f"due {item.due_on}" if item.due_on and not item.done_at else "", item.url]
    more = ", ".join(part for part in about if part)
    return f"- [{'x' if item.done_at else ' '}] {item.text}{f' ({more})' if more else ''}"


def _item_json(item: ActionItem) -> dict[str, Any]:
    named = {name: plain(getattr(item, name)) for name in ("text", "owner", "due_on", "url", "done_at")}
    return named | {"state": "done" if item.done_at else "open"}
