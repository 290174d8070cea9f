from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from statuspage.publishing.targets import read_targets
from statuspage.publishing.targets.base import TargetConfigError


def targets_can_be_used(**_options: Any) -> list[CheckMessage]:
    """Report an invalid PUBLISH_TO during set-up, before anything is started."""
    try:
        read_targets(settings.PUBLISH_TO)
    except TargetConfigError as error:
        return [Error(f"PUBLISH_TO: {error} See docs/settings.md.", id="candor.E001")]
    return []
