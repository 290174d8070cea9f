"""What requests about incidents mean, in the domain's verbs."""

from statuspage.api.incidents.changing import change
from statuspage.api.incidents.creating import create

__all__ = ["change", "create"]
