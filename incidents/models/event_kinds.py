"""The kinds of events, and everything that depends on the kind: one table for all parts of Candor.

To add a kind: add a member of `EventKind`, add its entry to `PROPERTIES`, and run `makemigrations incidents`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto

from django.db import models


class EventKind(models.TextChoices):
    """The values are stored, appear in audit logs and exports, and must not change."""

    INCIDENT_OPENED = "incident.opened"
    INCIDENT_UPDATED = "incident.updated"
    INCIDENT_RESOLVED = "incident.resolved"
    INCIDENT_REOPENED = "incident.reopened"
    MAINTENANCE_SCHEDULED = "maintenance.scheduled"
    MAINTENANCE_RESCHEDULED = "maintenance.rescheduled"
    MAINTENANCE_CHANGED = "maintenance.changed"
    MAINTENANCE_REMINDER = "maintenance.reminder"
    MAINTENANCE_STARTED = "maintenance.started"
    MAINTENANCE_UPDATED = "maintenance.updated"
    MAINTENANCE_COMPLETED = "maintenance.completed"
    MAINTENANCE_CANCELED = "maintenance.cancelled"
    SERIES_CHANGED = "series.changed"
    INCIDENT_CHANGED = "incident.changed"
    INCIDENT_HIDDEN = "incident.hidden"
    INCIDENT_RESTORED = "incident.restored"
    INCIDENT_MERGED = "incident.merged"
    INCIDENT_BACKFILLED = "incident.backfilled"
    IMPACT_START = "incident.impact_start"
    UPDATE_EDITED = "update.edited"
    POSTMORTEM_PUBLISHED = "postmortem.published"
    POSTMORTEM_REVISED = "postmortem.revised"
    POSTMORTEM_RETRACTED = "postmortem.retracted"
    ACTION_ITEM_CHANGED = "action_item.changed"
    COMPONENT_STATUS = "component.status"
    COMPONENTS_CHANGED = "components.changed"
    TARGET_SET = "target.set"
    HISTORY_CORRECTED = "history.corrected"
    UPTIME_WEIGHTS = "uptime.weights"
    PAGE_CHANGED = "page.changed"
    INCIDENT_TEMPLATES_CHANGED = "presets.changed"
    METRICS_CHANGED = "metrics.changed"


class Priority(models.IntegerChoices):
    """The order in which due deliveries are sent. IMMEDIATE: the few emails to staff, such as a password reset.
    URGENT: the first notification of an incident, and emails that a subscriber is waiting for."""

    IMMEDIATE = 0
    URGENT = 1
    NORMAL = 2
    LOW = 3


class PageChange(Flag):
    """What an event can change on the public page, besides the summaries and the paths of its incident and component.

    `statuspage.public.published_paths` translates this into paths.
    """

    NOTHING = 0
    HISTORY = auto()  # an incident can move to another page of the status history
    MERGED_INCIDENTS = auto()  # incidents merged into this one redirect elsewhere, or no longer redirect
    PLANNED_MAINTENANCES = auto()  # all upcoming and running maintenances
    ASSETS = auto()  # logos and the accent color
    ALL_BUT_INCIDENTS = auto()  # every path that does not belong to one incident
    INCIDENTS = auto()  # any page of any incident
    EVERYTHING = ALL_BUT_INCIDENTS | INCIDENTS


@dataclass(frozen=True)
class EventProperties:
    """The properties of one kind of event.

    audit_sentence: what the actor did, after their name; “{}” stands for the name of the object.
    priority: of its deliveries; None if subscribers are never notified.
    page_change: see `PageChange`.
    is_milestone: whether subscribers who only want the beginning and the end are notified.
    by_sms: whether it is sent as a text message.
    webhooks_only: whether no other channel than webhooks carries it.
    email_headline: the first line of an email; {label} is the status, {lead} the time until a maintenance starts. Empty
        if it follows from the status of the update.
    subject_label: the start of a subject where the status of the update does not say what happened.
        Programs that read emails match headlines and subject labels, also by their spelling (contract section 4.2).
    needs_approval: whether it changes what visitors read, so that pages that require approval require it for this kind.
        Steps that Candor takes by itself at their time were approved before.
    timeline_sentence: as `audit_sentence`, for the timeline of a postmortem; empty if it is left out there.
    """

    audit_sentence: str
    priority: Priority | None = None
    page_change: PageChange = PageChange.NOTHING
    is_milestone: bool = False
    by_sms: bool = False
    webhooks_only: bool = False
    email_headline: str = ""
    subject_label: str = ""
    timeline_sentence: str = ""
    needs_approval: bool = False


PROPERTIES: dict[EventKind, EventProperties] = {
    EventKind.INCIDENT_OPENED: EventProperties(
        "declared {}",
        priority=Priority.URGENT,
        is_milestone=True,
        by_sms=True,
        email_headline="New incident: {label}",
        timeline_sentence="declared the incident",
        needs_approval=True,
    ),
    EventKind.INCIDENT_UPDATED: EventProperties(
        "posted an update to {}", priority=Priority.NORMAL, timeline_sentence="posted an update", needs_approval=True
    ),
    EventKind.INCIDENT_RESOLVED: EventProperties(
        "resolved {}",
        priority=Priority.NORMAL,
        is_milestone=True,
        by_sms=True,
        email_headline="Incident resolved",
        timeline_sentence="resolved the incident",
        needs_approval=True,
    ),
    EventKind.INCIDENT_REOPENED: EventProperties(
        "reopened {}",
        priority=Priority.NORMAL,
        is_milestone=True,
        by_sms=True,
        email_headline="Incident reopened: {label}",
        timeline_sentence="reopened the incident",
        needs_approval=True,
    ),
    EventKind.MAINTENANCE_SCHEDULED: EventProperties(
        "scheduled {}",
        priority=Priority.NORMAL,
        is_milestone=True,
        email_headline="Maintenance scheduled",
        needs_approval=True,
    ),
    EventKind.MAINTENANCE_RESCHEDULED: EventProperties(
        "rescheduled {}",
        priority=Priority.NORMAL,
        is_milestone=True,
        email_headline="Maintenance rescheduled",
        subject_label="Rescheduled",
        needs_approval=True,
    ),
    EventKind.MAINTENANCE_CHANGED: EventProperties("changed the options of {}", needs_approval=True),
    EventKind.MAINTENANCE_REMINDER: EventProperties(
        "reminded subscribers of {}",
        priority=Priority.NORMAL,
        email_headline="Maintenance begins in {lead}",
        subject_label="Begins in {lead}",
    ),
    EventKind.MAINTENANCE_STARTED: EventProperties(
        "started {}", priority=Priority.NORMAL, by_sms=True, email_headline="Maintenance has begun", needs_approval=True
    ),
    EventKind.MAINTENANCE_UPDATED: EventProperties(
        "posted an update to {}", priority=Priority.NORMAL, needs_approval=True
    ),
    EventKind.MAINTENANCE_COMPLETED: EventProperties(
        "completed {}",
        priority=Priority.NORMAL,
        is_milestone=True,
        email_headline="Maintenance completed",
        needs_approval=True,
    ),
    EventKind.MAINTENANCE_CANCELED: EventProperties(
        "canceled {}",
        priority=Priority.NORMAL,
        is_milestone=True,
        email_headline="Maintenance cancelled",
        subject_label="Cancelled",
        needs_approval=True,
    ),
    EventKind.SERIES_CHANGED: EventProperties(
        "changed a recurring maintenance", page_change=PageChange.PLANNED_MAINTENANCES, needs_approval=True
    ),
    EventKind.INCIDENT_CHANGED: EventProperties(
        "corrected the title, impact or components of {}",
        timeline_sentence="corrected the title, impact or components",
        needs_approval=True,
    ),
    EventKind.INCIDENT_HIDDEN: EventProperties(
        "deleted {}", page_change=PageChange.HISTORY | PageChange.MERGED_INCIDENTS, needs_approval=True
    ),
    EventKind.INCIDENT_RESTORED: EventProperties(
        "restored {}", page_change=PageChange.HISTORY | PageChange.MERGED_INCIDENTS, needs_approval=True
    ),
    EventKind.INCIDENT_MERGED: EventProperties(
        "merged {} into another incident",
        page_change=PageChange.HISTORY | PageChange.MERGED_INCIDENTS,
        timeline_sentence="merged it into another incident",
        needs_approval=True,
    ),
    EventKind.INCIDENT_BACKFILLED: EventProperties(
        "added {} to the history", page_change=PageChange.HISTORY, needs_approval=True
    ),
    EventKind.IMPACT_START: EventProperties(
        "set the impact start of {}", timeline_sentence="set when the impact started"
    ),
    EventKind.UPDATE_EDITED: EventProperties(
        "edited an update of {}",
        page_change=PageChange.HISTORY,
        timeline_sentence="edited an update",
        needs_approval=True,
    ),
    EventKind.POSTMORTEM_PUBLISHED: EventProperties(
        "published the postmortem of {}",
        priority=Priority.LOW,
        is_milestone=True,
        email_headline="A postmortem has been published",
    ),
    EventKind.POSTMORTEM_REVISED: EventProperties("revised the postmortem of {}"),
    EventKind.POSTMORTEM_RETRACTED: EventProperties("unpublished the postmortem of {}", needs_approval=True),
    EventKind.ACTION_ITEM_CHANGED: EventProperties("changed an action item of {}"),
    EventKind.COMPONENT_STATUS: EventProperties(
        "set the status of {}",
        priority=Priority.NORMAL,
        webhooks_only=True,
        timeline_sentence="set {} to {}",
    ),
    EventKind.COMPONENTS_CHANGED: EventProperties("changed {}", page_change=PageChange.EVERYTHING, needs_approval=True),
    EventKind.TARGET_SET: EventProperties("set the service level target of {}"),
    EventKind.HISTORY_CORRECTED: EventProperties("corrected the status history of {}", needs_approval=True),
    EventKind.UPTIME_WEIGHTS: EventProperties(
        "changed what counts as downtime", page_change=PageChange.ALL_BUT_INCIDENTS
    ),
    EventKind.PAGE_CHANGED: EventProperties(
        "changed the page settings", page_change=PageChange.EVERYTHING | PageChange.ASSETS
    ),
    EventKind.INCIDENT_TEMPLATES_CHANGED: EventProperties("changed the incident templates"),
    EventKind.METRICS_CHANGED: EventProperties("changed the metrics"),
}

# Kinds that subscribers are notified of; all others only concern pages and feeds.
NOTIFIED_KINDS = frozenset(kind for kind, properties in PROPERTIES.items() if properties.priority is not None)
_UNKNOWN = EventProperties(audit_sentence="")


def properties_of(kind: str) -> EventProperties:
    """Return the entry of `kind`. A kind that only a newer version knows has none of the properties."""
    return PROPERTIES.get(EventKind(kind), _UNKNOWN) if kind in EventKind.values else _UNKNOWN
