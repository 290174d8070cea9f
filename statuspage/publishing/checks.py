from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from statuspage.publishing.targets import read_targets
from statuspage.publishing.targets.base import TargetConfigError


def targets_can_be_used(**_options: Any) -> list[CheckMessage]:
    """So that set-up names what is wrong with PUBLISH_TO, and nothing is started with it."""
    try:
        read_targets(settings.PUBLISH_TO)
    except TargetConfigError as error:
        return [Error(f"PUBLISH_TO: {error} See docs/settings.md.", id="candor.E001")]
    return []
