"""Statuspage's objects in our words: those of the public v2 API and of the management API alike (contract 1.3, 3.5)."""

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
# Words of the other kind, where one timeline holds both.
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
_OTHER_WORDS = {Kind.INCIDENT: _AS_INCIDENT, Kind.MAINTENANCE: _AS_MAINTENANCE}
_SWITCHES = {
    "scheduled_auto_in_progress": "auto_start",
    "scheduled_auto_completed": "auto_complete",
    "auto_transition_to_maintenance_state": "set_components",
    "auto_transition_to_operational_state": "restore_components",
    "auto_transition_deliver_notifications_at_start": "notify_start",
    "auto_transition_deliver_notifications_at_end": "notify_end",
}


def page(thing: SourceObject) -> IncomingPage:
    return IncomingPage(
        code=thing.need("id"),
        name=thing.line("name") or thing.need("id"),
        time_zone=thing.text("time_zone") or "Etc/UTC",
        description=thing.text("page_description"),
        support_url=thing.address("support_url"),
        created_at=thing.moment("created_at"),
    )


def group(thing: SourceObject) -> IncomingGroup:
    return IncomingGroup(
        code=_code(thing),
        name=thing.line("name") or thing.need("id"),
        position=thing.number("position", 1),
        description=thing.text("description") if "description" in thing.raw else None,
        created_at=thing.moment("created_at"),
        updated_at=thing.moment("updated_at"),
    )


def component(thing: SourceObject) -> IncomingComponent:
    group_id = thing.text("group_id")
    return IncomingComponent(
        code=_code(thing),
        name=thing.line("name") or thing.need("id"),
        status=component_status(thing, "status"),
        position=thing.number("position", 1),
        group=keep_code(group_id) if group_id else "",
        description=thing.text("description") if "description" in thing.raw else None,
        only_show_if_degraded=thing.flag("only_show_if_degraded"),
        showcase=thing.flag("showcase"),
        start_date=thing.day("start_date"),
        created_at=thing.moment("created_at"),
        updated_at=thing.moment("updated_at"),
    )


def template(thing: SourceObject) -> IncomingTemplate:
    status = thing.text("update_status")
    return IncomingTemplate(
        code=_code(thing),
        name=thing.line("name") or thing.need("id"),
        title=thing.line("title"),
        body=as_markdown(thing.text("body")),
        status=thing.word("update_status", status, Status.values, "") if status else "",
        notify=thing.flag("should_send_notifications") is not False,
        components=tuple(keep_code(one.need("id")) for one in thing.things("components", "component")),
        group=thing.text("group_id"),
    )


def metric(thing: SourceObject) -> IncomingMetric:
    provider = thing.text("metrics_provider_id")
    low, high = _bound(thing, "y_axis_min"), _bound(thing, "y_axis_max")
    if low is not None and high is not None and low >= high:
        thing.report.note(thing.name, "its axis has no height, and was left to the chart")
        low = high = None
    return IncomingMetric(
        code=_code(thing),
        name=thing.line("name") or thing.need("id"),
        provider=keep_code(provider) if provider else "",
        identifier=thing.line("metric_identifier"),
        description=thing.text("tooltip_description"),
        display=thing.flag("display") is not False,
        suffix=thing.line("suffix"),
        decimal_places=min(thing.number("decimal_places"), MOST_DECIMALS),
        y_axis_min=low,
        y_axis_max=high,
        y_axis_hidden=bool(thing.flag("y_axis_hidden")),
        created_at=thing.moment("created_at"),
        updated_at=thing.moment("updated_at"),
    )


def _bound(thing: SourceObject, key: str) -> float | None:
    """None: not told, or no number that an axis could end at."""
    try:
        value = float(thing.text(key))
    except ValueError:
        return None
    return value if isfinite(value) else None


def incident(thing: SourceObject) -> IncomingIncident:
    """BadObject if it cannot be kept."""
    kind = _kind(thing)
    updates, postmortem_update = _updates(thing, kind)
    said = {change.component for update in updates for change in update.changes}
    switches = {ours: told for theirs, ours in _SWITCHES.items() if (told := thing.flag(theirs)) is not None}
    first = updates[0].display_at if updates else None
    started_at = thing.moment("started_at")
    return IncomingIncident(
        code=_code(thing),
        title=thing.line("name") or "(no title)",
        status=_incident_status(thing, kind, updates),
        updates=tuple(updates),
        kind=kind,
        impact=_impact(thing, "impact", kind),
        impact_override=_impact(thing, "impact_override", kind) if "impact_override" in thing.raw else None,
        started_at=min(started_at, first) if started_at and first else started_at,
        created_at=thing.moment("created_at"),
        updated_at=thing.moment("updated_at"),
        monitoring_at=thing.moment("monitoring_at"),
        resolved_at=thing.moment("resolved_at"),
        scheduled_for=thing.moment("scheduled_for"),
        scheduled_until=thing.moment("scheduled_until"),
        named=tuple(one for one in _named(thing) if one.component not in said),
        switches=switches if kind == Kind.MAINTENANCE else {},
        remind=(REMINDED_BEFORE,) if thing.flag("scheduled_remind_prior") else (),
        postmortem=_postmortem(thing, postmortem_update),
    )


def has_untold_postmortem(thing: SourceObject, told: IncomingIncident) -> bool:
    """The list says that there is one, and does not hold its text."""
    return thing.text("status") == POSTMORTEM and (told.postmortem is None or not told.postmortem.body)


def component_status(thing: SourceObject, key: str) -> str:
    return thing.choice(key, ComponentStatus.values, ComponentStatus.DEGRADED_PERFORMANCE)


def keep_code(text: str) -> str:
    """Their id, or one that follows from it where it cannot be an id here."""
    return text if is_public_id(text) else public_id_for("statuspage", text)


def _code(thing: SourceObject) -> str:
    text = thing.need("id")
    if not is_public_id(text):
        thing.report.note(thing.name, f"its id cannot be kept; it is {keep_code(text)} here")
    return keep_code(text)


def _kind(thing: SourceObject) -> str:
    is_planned = thing.text("status") in MAINTENANCE_STATUSES or thing.moment("scheduled_for") is not None
    return Kind.MAINTENANCE if is_planned else Kind.INCIDENT


def _status(thing: SourceObject, kind: str, before: str) -> str:
    return thing.choice("status", STATUSES_OF[Kind(kind)], before, known=_OTHER_WORDS[Kind(kind)])


def _incident_status(thing: SourceObject, kind: str, updates: list[IncomingUpdate]) -> str:
    if thing.text("status") == POSTMORTEM:
        return Status.RESOLVED if kind == Kind.INCIDENT else Status.COMPLETED
    default = updates[-1].status if updates else STATUSES_OF[Kind(kind)][0]
    if thing.moment("resolved_at") and default not in ENDED:
        default = STATUSES_OF[Kind(kind)][-1]
    return _status(thing, kind, default)


def _impact(thing: SourceObject, key: str, kind: str) -> str:
    if not thing.text(key):
        return ""
    return thing.choice(key, Impact.values, Impact.MAINTENANCE if kind == Kind.MAINTENANCE else Impact.MINOR)


def _updates(thing: SourceObject, kind: str) -> tuple[list[IncomingUpdate], SourceObject | None]:
    """Oldest first, and the postmortem, which Statuspage lists among them."""
    found: list[IncomingUpdate] = []
    postmortem = None
    before: str = STATUSES_OF[Kind(kind)][0]
    rows = sorted(_readable(thing), key=lambda row: row[0])
    for at, row in rows:
        if row.text("status") == POSTMORTEM:
            postmortem = row
            continue
        try:
            update = _update(row, kind, before, at)
        except BadObject as error:
            thing.report.skip("updates", row.name, str(error))
            continue
        before = update.status
        found.append(update)
    return found, postmortem


def _readable(thing: SourceObject) -> Iterator[tuple[datetime, SourceObject]]:
    """They are listed newest first; sorting keeps the order of what has the same time."""
    rows = thing.list("incident_updates")
    for number, raw in reversed(list(enumerate(rows, start=1))):
        try:
            row = thing.part(raw, f"update {number}")
            yield row.need_moment("display_at", "created_at"), row
        except BadObject as error:
            thing.report.skip("updates", f"{thing.name}, update {number}", str(error))


def _update(row: SourceObject, kind: str, before: str, at: datetime) -> IncomingUpdate:
    body = row.text("body")
    text = row.text("id") or public_id_for(row.name, at.isoformat(), body)
    return IncomingUpdate(
        code=keep_code(text),
        status=_status(row, kind, before),
        body=as_markdown(body),
        display_at=at,
        created_at=row.moment("created_at"),
        updated_at=row.moment("updated_at"),
        notify=bool(row.flag("deliver_notifications")),
        changes=tuple(_changes(row)),
    )


def _changes(row: SourceObject) -> Iterator[IncomingChange]:
    for one in row.things("affected_components", "component"):
        code = one.text("code") or one.text("id")
        if not code:
            row.report.note(one.name, "it has no code and was left out")
            continue
        old = component_status(one, "old_status") if one.text("old_status") else None
        yield IncomingChange(keep_code(code), component_status(one, "new_status"), old, one.line("name"))


def _named(thing: SourceObject) -> Iterator[IncomingChange]:
    """Nothing is said of how they were: as if they had been well."""
    for one in thing.things("components", "component"):
        if one.text("id") and not one.flag("group"):
            name = one.line("name")
            yield IncomingChange(keep_code(one.text("id")), ComponentStatus.OPERATIONAL, None, name)


def _postmortem(thing: SourceObject, row: SourceObject | None) -> IncomingPostmortem | None:
    body, published_at = thing.text("postmortem_body"), thing.moment("postmortem_published_at")
    written_at = thing.moment("postmortem_body_last_updated_at")
    if row is not None and not body:
        body = row.text("body")
        published_at = published_at or row.need_moment("display_at", "created_at")
        written_at = row.moment("updated_at")
    if not body:
        return None
    body = as_markdown(body)
    if published_at is None:
        return IncomingPostmortem(draft=body, updated_at=written_at)
    # It was written by the time it was published, whatever was only saved later.
    return IncomingPostmortem(body=body, published_at=published_at, created_at=published_at, updated_at=written_at)
