"""Puts what a capture of Statuspage's JSON tells into the database, row by row, so that it can be asked for again."""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

from incidents.models import AffectedComponent, Component, ComponentGroup, Incident, IncidentUpdate, Page, Postmortem
from incidents.models.states import Kind
from incidents.text.markdown import render

CAPTURES = Path(__file__).parent / "captures"
Json = dict[str, Any]


def capture(name: str) -> Json:
    body: Json = json.loads((CAPTURES / f"{name}.json").read_text(encoding="utf-8"))
    return body


def as_sent(body: Json) -> str:
    """What a server puts on the wire: keys in their order, no blanks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def replay(body: Json, *, components: list[Json]) -> Page:
    page = body["page"]
    made = Page.objects.create(
        public_id=page["id"],
        name=page["name"],
        domain=page["url"].removeprefix("https://"),
        time_zone=page["time_zone"],
    )
    _components(made, components)
    for incident in [*body.get("incidents", []), *body.get("scheduled_maintenances", [])]:
        _incident(made, incident)
    # Last: nothing that was written for this may count as a change of the page.
    Page.objects.filter(pk=made.pk).update(updated_at=_at(page["updated_at"]))
    return made


def _components(page: Page, rows: list[Json]) -> None:
    groups = {row["id"]: _row(ComponentGroup, page, row) for row in rows if row["group"]}
    for row in rows:
        if not row["group"]:
            own = {name: row[name] for name in ("status", "showcase", "only_show_if_degraded")}
            start = date.fromisoformat(row["start_date"]) if row["start_date"] else None
            _row(Component, page, row, group=groups.get(row["group_id"]), start_date=start, **own)


def _row(model: Any, page: Page, row: Json, **more: Any) -> Any:
    named = {"public_id": row["id"], "name": row["name"], "position": row["position"]}
    times = {name: _at(row[name]) for name in ("created_at", "updated_at")}
    return model.objects.create(page=page, description=row["description"] or "", **named, **times, **more)


def _incident(page: Page, row: Json) -> None:
    names = ("created_at", "updated_at", "monitoring_at", "resolved_at", "started_at", "scheduled_for")
    times = {name: _at(row[name]) for name in (*names, "scheduled_until") if row.get(name)}
    incident = Incident.objects.create(
        page=page,
        public_id=row["id"],
        kind=Kind.MAINTENANCE if "scheduled_for" in row else Kind.INCIDENT,
        title=row["name"],
        status="resolved" if row["status"] == "postmortem" else row["status"],
        impact=row["impact"],
        last_update_at=_at(row["incident_updates"][0]["display_at"]),
        **times,
    )
    for update in reversed(row["incident_updates"]):
        _postmortem(incident, update) if update["status"] == "postmortem" else _update(incident, update)


def _update(incident: Incident, row: Json) -> None:
    update = IncidentUpdate.objects.create(
        incident=incident,
        public_id=row["id"],
        status=row["status"],
        body=row["body"],
        body_html=render(row["body"]),
        notify=row["deliver_notifications"],
        **{name: _at(row[name]) for name in ("created_at", "updated_at", "display_at")},
    )
    for affected in row["affected_components"] or []:
        component = Component.objects.get(public_id=affected["code"])
        statuses = {name: affected[name] for name in ("old_status", "new_status")}
        AffectedComponent.objects.create(update=update, component=component, **statuses)


def _postmortem(incident: Incident, row: Json) -> None:
    Postmortem.objects.create(
        incident=incident,
        draft=row["body"],
        body=row["body"],
        body_html=render(row["body"]),
        published_at=_at(row["display_at"]),
        edited_at=_at(row["updated_at"]),
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
