"""The filter of the outage chart."""

from datetime import tzinfo

from django import template
from django.utils.safestring import SafeString

from incidents.postmortem.outage_chart import outage_svg
from incidents.postmortem.summary import PostmortemSummary

register = template.Library()


@register.filter
def outage_chart(summary: PostmortemSummary, zone: tzinfo) -> SafeString:
    """Return the outage chart as SVG, empty if there is no time span to draw."""
    return outage_svg(summary, zone)
