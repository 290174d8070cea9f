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
    ("Incidents", [(one.value, one.label) for one in INCIDENT_STATUSES]),
    ("Maintenance", [*((one.value, one.label) for one in MAINTENANCE_STATUSES), (CANCELED, "Cancelled")]),
]
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


class IncidentFilter(forms.Form):
    """What is shown of a page's incidents and maintenances. What makes no sense is said, and narrows nothing."""

    q = forms.CharField(label="Words", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"}))
    status = forms.ChoiceField(label="Status", required=False, choices=STATUSES)
    impact = forms.ChoiceField(label="Impact", required=False, choices=[("", "Any"), *Impact.choices])
    component = forms.ChoiceField(label="Component", required=False, widget=LongSelect)
    since = DayField(label="Began from")
    until = DayField(label="Began until")

    def __init__(self, data: QueryDict, *, page: Page) -> None:
        super().__init__(data)
        self.page = page
        self.components = {one.public_id: one for one in page.components.in_page_order()}
        names = [(code, one.full_name) for code, one in self.components.items()]
        self.fields["component"].choices = [("", "Any"), *names]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "That is before the day to begin with.")
        return self.cleaned_data

    @cached_property
    def query(self) -> str:
        """What was asked for, for an address; empty if nothing was."""
        return urlencode({name: self.data[name] for name in self.fields if self.data.get(name)})

    @property
    def folded(self) -> list[forms.BoundField]:
        """All but the words."""
        return [
            field
            for field in self
            if field.name != "q" and (field.data or field.name != "component" or self.components)
        ]

    @property
    def is_unfolded(self) -> bool:
        return any(field.data for field in self.folded)

    def narrowed(self, found: IncidentQuerySet) -> IncidentQuerySet:
        self.full_clean()
        asked = {name: value for name, value in self.cleaned_data.items() if value}
        if "q" in asked:
            found = found.matching(asked["q"])
        if "status" in asked:
            found = found.in_status(asked["status"])
        if "impact" in asked:
            found = found.of_impact(asked["impact"])
        if "since" in asked or "until" in asked:
            zone = self.page.zone
            start = midnight(asked["since"], zone) if "since" in asked else FIRST
            end = midnight(asked["until"] + timedelta(days=1), zone) if "until" in asked else LAST
            found = found.falling_between(start, end)
        if "component" in asked:
            found = found.affecting([self.components[asked["component"]].pk])
        return found
