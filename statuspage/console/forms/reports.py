from datetime import datetime, tzinfo
from typing import Any

from django import forms

from incidents.models import Incident
from statuspage.console.forms.fields import MomentField


class PublishFiguresForm(forms.Form):
    analytics = forms.BooleanField(
        label="Analytics",
        required=False,
        help_text="How long it took to acknowledge, fix and resolve incidents, by month. Hidden incidents are left out.",
    )
    reports = forms.BooleanField(
        label="Service level reports",
        required=False,
        help_text="For each component and month or quarter: target, uptime, and what is left of the error budget.",
    )


class ImpactStartForm(forms.Form):
    def __init__(self, data: Any = None, *, incident: Incident) -> None:
        zone = incident.page.zone
        initial = {"impact_started_at": typed_moment(incident.impact_started_at, zone)}
        super().__init__(data, initial=initial, auto_id="impact_%s")
        self.fields["impact_started_at"] = MomentField(
            zone,
            label="Impact began",
            help_text=f"In {incident.page.time_zone}, not after the first update. Empty: as the updates say."
            " Only analytics use it; the public page stays as it is.",
        )


def typed_moment(moment: datetime | None, zone: tzinfo) -> str:
    """As one would type it into a MomentField: in `zone`, with the offset where the clocks showed that hour twice."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    once = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
    shown = local.replace(tzinfo=None) if once else local
    return shown.isoformat(" ", "seconds" if moment.second else "minutes")
