"""What a postmortem shows beside its text."""

from datetime import tzinfo

from django import template
from django.utils.safestring import SafeString

from incidents.postmortem import outage_chart
from incidents.postmortem.summary import PostmortemSummary

register = template.Library()


@register.filter
def outage_figure(account: PostmortemSummary, zone: tzinfo) -> SafeString:
    """The picture of what happened when, as SVG; nothing if there is no time to draw."""
    return outage_chart.outage_svg(account, zone)
