"""Statuses and impacts, and named sets of them. Labels and order: contract sections 1.4 and 1.5.

Colors and icons are defined in CSS by `data-status` and `data-impact`.
"""

from django.db import models


class ComponentStatus(models.TextChoices):
    OPERATIONAL = "operational", "Operational"
    UNDER_MAINTENANCE = "under_maintenance", "Maintenance"
    DEGRADED_PERFORMANCE = "degraded_performance", "Degraded Performance"
    PARTIAL_OUTAGE = "partial_outage", "Partial Outage"
    MAJOR_OUTAGE = "major_outage", "Major Outage"


class Kind(models.TextChoices):
    INCIDENT = "incident", "Incident"
    MAINTENANCE = "maintenance", "Maintenance"


class Status(models.TextChoices):
    """Of an incident (the first four) or a maintenance (the rest); `postmortem` is derived, never stored."""

    INVESTIGATING = "investigating", "Investigating"
    IDENTIFIED = "identified", "Identified"
    MONITORING = "monitoring", "Monitoring"
    RESOLVED = "resolved", "Resolved"
    SCHEDULED = "scheduled", "Scheduled"
    IN_PROGRESS = "in_progress", "In progress"
    VERIFYING = "verifying", "Verifying"
    COMPLETED = "completed", "Completed"


class Impact(models.TextChoices):
    NONE = "none", "None"
    MAINTENANCE = "maintenance", "Maintenance"
    MINOR = "minor", "Minor"
    MAJOR = "major", "Major"
    CRITICAL = "critical", "Critical"


# From best to worst: a group is as bad as its worst member (contract section 1.5).
BY_SEVERITY = tuple(ComponentStatus)

INCIDENT_STATUSES = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING, Status.RESOLVED)
MAINTENANCE_STATUSES = (Status.SCHEDULED, Status.IN_PROGRESS, Status.VERIFYING, Status.COMPLETED)
UNRESOLVED = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
UPCOMING = (Status.SCHEDULED,)
RUNNING = (Status.IN_PROGRESS, Status.VERIFYING)
ENDED = (Status.RESOLVED, Status.COMPLETED)
# Shown for a canceled maintenance instead of its status, which is completed.
CANCELED = "cancelled"
# While in one of these, the end of another incident does not restore the components.
ONGOING = (*UNRESOLVED, *RUNNING)
IMPAIRED = (ComponentStatus.DEGRADED_PERFORMANCE, ComponentStatus.PARTIAL_OUTAGE, ComponentStatus.MAJOR_OUTAGE)
STATUSES_OF = {Kind.INCIDENT: INCIDENT_STATUSES, Kind.MAINTENANCE: MAINTENANCE_STATUSES}

IMPACT_OF = {
    ComponentStatus.OPERATIONAL: Impact.NONE,
    ComponentStatus.UNDER_MAINTENANCE: Impact.MAINTENANCE,
    ComponentStatus.DEGRADED_PERFORMANCE: Impact.MINOR,
    ComponentStatus.PARTIAL_OUTAGE: Impact.MAJOR,
    ComponentStatus.MAJOR_OUTAGE: Impact.CRITICAL,
}
