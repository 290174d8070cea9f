"""What a postmortem shows beside its text."""

from datetime import tzinfo

from django import template
from django.utils.safestring import SafeString

from incidents.postmortem import outage_chart
from incidents.postmortem.summary import Account

register = template.Library()


@register.filter
def outage_figure(account: Account, zone: tzinfo) -> SafeString:
    """The picture of what happened when, as SVG; nothing if there is no time to draw."""
    return outage_chart.drawing(account, zone)
