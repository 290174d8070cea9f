"""Convert Statuspage's objects, of the v2 API and of the management API, to records (contract 1.3, 3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import isfinite

from incidents.models.states import ENDED, MAINTENANCE_STATUSES, STATUSES_OF, ComponentStatus, Impact, Kind, Status
from incidents.transfer.records import (
    IncomingChange,
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingPostmortem,
    IncomingTemplate,
    IncomingUpdate,
    is_public_id,
    public_id_for,
)
from statuspage.importers.fields import BadObject, SourceObject
from statuspage.importers.html_to_markdown import as_markdown

POSTMORTEM = "postmortem"
REMINDED_BEFORE = 60  # minutes (contract 4.3)
MOST_DECIMALS = 10
# Statuses of the other kind, for incidents that have both.
_AS_INCIDENT = {
    "scheduled": "investigating",
    "in_progress": "identified",
    "verifying": "monitoring",
    "completed": "resolved",
}
_AS_MAINTENANCE = {
    "investigating": "in_progress",
    "identified": "in_progress",
    "monitoring": "verifying",
    "resolved": "completed",
}
_OTHER_STATUSES = {Kind.INCIDENT: _AS_INCIDENT, Kind.MAINTENANCE: _AS_MAINTENANCE}
_SWITCHES = {
    "scheduled_auto_in_progress": "auto_start",
    "scheduled_auto_completed": "auto_complete",
    "auto_transition_to_maintenance_state": "set_components",
    "auto_transition_to_operational_state": "restore_components",
    "auto_transition_deliver_notifications_at_start": "notify_start",
    "auto_transition_deliver_notifications_at_end": "notify_end",
}


def page(row: SourceObject) -> IncomingPage:
    return IncomingPage(
        public_id=_page_id(row.required("id")),
        name=row.line("name") or row.required("id"),
        time_zone=row.text("time_zone") or "Etc/UTC",
        description=row.text("page_description"),
        support_url=row.url("support_url"),
        created_at=row.moment("created_at"),
    )


def group(row: SourceObject) -> IncomingGroup:
    return IncomingGroup(
        public_id=_public_id(row),
        name=row.line("name") or row.required("id"),
        position=row.number("position", 1),
        description=row.text("description") if "description" in row.raw else None,
        created_at=row.moment("created_at"),
        updated_at=row.moment("updated_at"),
    )


def component(row: SourceObject) -> IncomingComponent:
    group_id = row.text("group_id")
    return IncomingComponent(
        public_id=_public_id(row),
        name=row.line("name") or row.required("id"),
        status=component_status(row, "status"),
        position=row.number("position", 1),
        group=public_id_of(group_id) if group_id else "",
        description=row.text("description") if "description" in row.raw else None,
        only_show_if_degraded=row.flag("only_show_if_degraded"),
        showcase=row.flag("showcase"),
        start_date=row.day("start_date"),
        created_at=row.moment("created_at"),
        updated_at=row.moment("updated_at"),
    )


def template(row: SourceObject) -> IncomingTemplate:
    status = row.text("update_status")
    return IncomingTemplate(
        public_id=_public_id(row),
        name=row.line("name") or row.required("id"),
        title=row.line("title"),
        body=as_markdown(row.text("body")),
        status=row.nearest("update_status", status, Status.values, "") if status else "",
        notify=row.flag("should_send_notifications") is not False,
        components=tuple(public_id_of(item.required("id")) for item in row.objects("components", "component")),
        group=row.text("group_id"),
    )


def metric(row: SourceObject) -> IncomingMetric:
    provider = row.text("metrics_provider_id")
    low, high = _bound(row, "y_axis_min"), _bound(row, "y_axis_max")
    if low is not None and high is not None and low >= high:
        row.report.note(row.name, "its axis was left to the chart, because its minimum is not below its maximum")
        low = high = None
    return IncomingMetric(
        public_id=_public_id(row),
        name=row.line("name") or row.required("id"),
        provider=public_id_of(provider) if provider else "",
        identifier=row.line("metric_identifier"),
        description=row.text("tooltip_description"),
        display=row.flag("display") is not False,
        suffix=row.line("suffix"),
        decimal_places=min(row.number("decimal_places"), MOST_DECIMALS),
        y_axis_min=low,
        y_axis_max=high,
        y_axis_hidden=bool(row.flag("y_axis_hidden")),
        created_at=row.moment("created_at"),
        updated_at=row.moment("updated_at"),
    )


def _bound(row: SourceObject, key: str) -> float | None:
    """Return the bound of an axis, None if it is missing or not a finite number."""
    try:
        value = float(row.text(key))
    except ValueError:
        return None
    return value if isfinite(value) else None


def incident(row: SourceObject) -> IncomingIncident:
    """Raise BadObject if it cannot be imported."""
    kind = _kind(row)
    updates, postmortem_update = _updates(row, kind)
    changed = {change.component for update in updates for change in update.changes}
    flags = {name: row.flag(key) for key, name in _SWITCHES.items()}
    switches = {name: flag for name, flag in flags.items() if flag is not None}
    first = updates[0].display_at if updates else None
    started_at = row.moment("started_at")
    return IncomingIncident(
        public_id=_public_id(row),
        title=row.line("name") or "(no title)",
        status=_incident_status(row, kind, updates),
        updates=tuple(updates),
        kind=kind,
        impact=_impact(row, "impact", kind),
        impact_override=_impact(row, "impact_override", kind) if "impact_override" in row.raw else None,
        started_at=min(started_at, first) if started_at and first else started_at,
        created_at=row.moment("created_at"),
        updated_at=row.moment("updated_at"),
        monitoring_at=row.moment("monitoring_at"),
        resolved_at=row.moment("resolved_at"),
        scheduled_for=row.moment("scheduled_for"),
        scheduled_until=row.moment("scheduled_until"),
        named=tuple(change for change in _named(row) if change.component not in changed),
        switches=switches if kind == Kind.MAINTENANCE else {},
        remind=(REMINDED_BEFORE,) if row.flag("scheduled_remind_prior") else (),
        postmortem=_postmortem(row, postmortem_update),
    )


def lacks_postmortem(row: SourceObject, incoming: IncomingIncident) -> bool:
    """Return whether the incident has a postmortem whose text is not in the list."""
    return row.text("status") == POSTMORTEM and (incoming.postmortem is None or not incoming.postmortem.body)


def component_status(row: SourceObject, key: str) -> str:
    return row.choice(key, ComponentStatus.values, ComponentStatus.DEGRADED_PERFORMANCE)


def public_id_of(text: str) -> str:
    """Return the id, or a public id derived from it if it is not a valid one."""
    return text if is_public_id(text) else public_id_for("statuspage", text)


def _page_id(text: str) -> str:
    return text if is_public_id(text) else public_id_for("page", text)


def _public_id(row: SourceObject) -> str:
    text = row.required("id")
    if not is_public_id(text):
        row.report.note(row.name, f"its ID cannot be used; its new ID is {public_id_of(text)}")
    return public_id_of(text)


def _kind(row: SourceObject) -> str:
    is_maintenance = row.text("status") in MAINTENANCE_STATUSES or row.moment("scheduled_for") is not None
    return Kind.MAINTENANCE if is_maintenance else Kind.INCIDENT


def _status(row: SourceObject, kind: str, before: str) -> str:
    return row.choice("status", STATUSES_OF[Kind(kind)], before, known=_OTHER_STATUSES[Kind(kind)])


def _incident_status(row: SourceObject, kind: str, updates: list[IncomingUpdate]) -> str:
    if row.text("status") == POSTMORTEM:
        return Status.RESOLVED if kind == Kind.INCIDENT else Status.COMPLETED
    default = updates[-1].status if updates else STATUSES_OF[Kind(kind)][0]
    if row.moment("resolved_at") and default not in ENDED:
        default = STATUSES_OF[Kind(kind)][-1]
    return _status(row, kind, default)


def _impact(row: SourceObject, key: str, kind: str) -> str:
    if not row.text(key):
        return ""
    return row.choice(key, Impact.values, Impact.MAINTENANCE if kind == Kind.MAINTENANCE else Impact.MINOR)


def _updates(incident: SourceObject, kind: str) -> tuple[list[IncomingUpdate], SourceObject | None]:
    """Return the updates, oldest first, and the postmortem, which Statuspage lists among them."""
    updates: list[IncomingUpdate] = []
    postmortem = None
    before: str = STATUSES_OF[Kind(kind)][0]
    rows = sorted(_rows_with_times(incident), key=lambda row: row[0])
    for at, row in rows:
        if row.text("status") == POSTMORTEM:
            postmortem = row
            continue
        try:
            update = _update(row, kind, before, at)
        except BadObject as error:
            row.report.skip("updates", row.name, str(error))
            continue
        before = update.status
        updates.append(update)
    return updates, postmortem


def _rows_with_times(incident: SourceObject) -> Iterator[tuple[datetime, SourceObject]]:
    """Yield each update with its time, oldest first: a stable sort then keeps the order of equal times."""
    rows = incident.list("incident_updates")
    for number, raw in reversed(list(enumerate(rows, start=1))):
        try:
            row = incident.part(raw, f"update {number}")
            yield row.required_moment("display_at", "created_at"), row
        except BadObject as error:
            incident.report.skip("updates", f"{incident.name}, update {number}", str(error))


def _update(row: SourceObject, kind: str, before: str, at: datetime) -> IncomingUpdate:
    body = row.text("body")
    text = row.text("id") or public_id_for(row.name, at.isoformat(), body)
    return IncomingUpdate(
        public_id=public_id_of(text),
        status=_status(row, kind, before),
        body=as_markdown(body),
        display_at=at,
        created_at=row.moment("created_at"),
        updated_at=row.moment("updated_at"),
        notify=bool(row.flag("deliver_notifications")),
        changes=tuple(_changes(row)),
    )


def _changes(row: SourceObject) -> Iterator[IncomingChange]:
    for item in row.objects("affected_components", "component"):
        public_id = item.text("code") or item.text("id")
        if not public_id:
            row.report.note(item.name, "it has no ID and was left out")
            continue
        old_status = component_status(item, "old_status") if item.text("old_status") else None
        new_status = component_status(item, "new_status")
        yield IncomingChange(public_id_of(public_id), new_status, old_status, item.line("name"))


def _named(row: SourceObject) -> Iterator[IncomingChange]:
    """Yield the components of the incident as operational, because their statuses are the present ones."""
    for item in row.objects("components", "component"):
        if item.text("id") and not item.flag("group"):
            name = item.line("name")
            yield IncomingChange(public_id_of(item.text("id")), ComponentStatus.OPERATIONAL, None, name)


def _postmortem(row: SourceObject, update: SourceObject | None) -> IncomingPostmortem | None:
    body, published_at = row.text("postmortem_body"), row.moment("postmortem_published_at")
    written_at = row.moment("postmortem_body_last_updated_at")
    if update is not None and not body:
        body = update.text("body")
        published_at = published_at or update.required_moment("display_at", "created_at")
        written_at = update.moment("updated_at")
    if not body:
        return None
    body = as_markdown(body)
    if published_at is None:
        return IncomingPostmortem(draft=body, updated_at=written_at)
    # It existed when it was published, even if it was saved later.
    return IncomingPostmortem(body=body, published_at=published_at, created_at=published_at, updated_at=written_at)
