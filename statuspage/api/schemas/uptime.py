from statuspage.api.schemas.parts import ResponseModel


class UptimeOut(ResponseModel):
    """`uptime_percentage` is null where no history is known. Outages are in seconds."""

    range_start: str
    range_end: str
    uptime_percentage: float | None
    major_outage: int
    partial_outage: int
    warnings: list[str]
    id: str
    name: str


class EventRef(ResponseModel):
    id: str


class RelatedIncidents(ResponseModel):
    incidents: list[EventRef]


class ComponentUptimeOut(UptimeOut):
    related_events: RelatedIncidents | None


class GroupRelatedIncidents(RelatedIncidents):
    component_id: str


class GroupUptimeOut(UptimeOut):
    related_events: list[GroupRelatedIncidents] | None
