from incidents.models.audit import AuditEntry
from incidents.models.components import Component, ComponentGroup
from incidents.models.draft_content import DraftStep
from incidents.models.drafts import Draft, DraftState
from incidents.models.event_kinds import EventKind
from incidents.models.events import Event
from incidents.models.incident_templates import IncidentTemplate
from incidents.models.incidents import Incident
from incidents.models.intervals import StatusInterval
from incidents.models.logos import PageLogo
from incidents.models.maintenances import MaintenanceReminder, MaintenanceSeries
from incidents.models.metrics import Metric, MetricPoint, MetricsProvider
from incidents.models.pages import Page
from incidents.models.postmortems import ActionItem, Postmortem, PostmortemComment
from incidents.models.proposals import Proposal, ProposalState
from incidents.models.revisions import Revision
from incidents.models.service_level_targets import ServiceTarget
from incidents.models.updates import AffectedComponent, IncidentUpdate

__all__ = [
    "ActionItem",
    "AffectedComponent",
    "AuditEntry",
    "Component",
    "ComponentGroup",
    "Draft",
    "DraftState",
    "DraftStep",
    "Event",
    "EventKind",
    "Incident",
    "IncidentTemplate",
    "IncidentUpdate",
    "MaintenanceReminder",
    "MaintenanceSeries",
    "Metric",
    "MetricPoint",
    "MetricsProvider",
    "Page",
    "PageLogo",
    "Postmortem",
    "PostmortemComment",
    "Proposal",
    "ProposalState",
    "Revision",
    "ServiceTarget",
    "StatusInterval",
]
