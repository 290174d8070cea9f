from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property

from incidents.models import Page
from incidents.models.incidents import IncidentQuerySet
from incidents.models.states import CANCELED, INCIDENT_STATUSES, MAINTENANCE_STATUSES, Impact
from incidents.reporting.uptime import midnight
from statuspage.console.fields import DayField, LongSelect

STATUSES = [
    ("", "Any"),
    ("Incidents", [(component.value, component.label) for component in INCIDENT_STATUSES]),
    (
        "Maintenance",
        [*((component.value, component.label) for component in MAINTENANCE_STATUSES), (CANCELED, "Canceled")],
    ),
]
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class IncidentFilter(forms.Form):
    """Filters of the list of incidents and maintenances. An invalid filter is reported and ignored."""

    q = forms.CharField(
        label="Search", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    status = forms.ChoiceField(label="Status", required=False, choices=STATUSES)
    impact = forms.ChoiceField(label="Impact", required=False, choices=[("", "Any"), *Impact.choices])
    component = forms.ChoiceField(label="Component", required=False, widget=LongSelect)
    since = DayField(label="Started from")
    until = DayField(label="Started until")

    def __init__(self, data: QueryDict, *, page: Page) -> None:
        super().__init__(data)
        self.page = page
        self.components = {component.public_id: component for component in page.components.in_page_order()}
        names = [(public_id, component.full_name) for public_id, component in self.components.items()]
        self.fields["component"].choices = [("", "Any"), *names]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "The end date must be on or after the start date.")
        return self.cleaned_data

    @cached_property
    def query(self) -> str:
        """The filters as a query string. Empty if there are none."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)})

    @property
    def collapsed_fields(self) -> list[forms.BoundField]:
        """All fields except the search field."""
        return [
            field
            for field in self
            if field.name != "q" and (field.data or field.name != "component" or self.components)
        ]

    @property
    def is_expanded(self) -> bool:
        return any(field.data for field in self.collapsed_fields)

    def filtered(self, incidents: IncidentQuerySet) -> IncidentQuerySet:
        self.full_clean()
        filters = {name: value for name, value in self.cleaned_data.items() if value}
        if "q" in filters:
            incidents = incidents.matching(filters["q"])
        if "status" in filters:
            incidents = incidents.in_status(filters["status"])
        if "impact" in filters:
            incidents = incidents.of_impact(filters["impact"])
        if "since" in filters or "until" in filters:
            zone = self.page.zone
            start = midnight(filters["since"], zone) if "since" in filters else FIRST
            end = midnight(filters["until"] + timedelta(days=1), zone) if "until" in filters else LAST
            incidents = incidents.falling_between(start, end)
        if "component" in filters:
            incidents = incidents.affecting([self.components[filters["component"]].pk])
        return incidents
