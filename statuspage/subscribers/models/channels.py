from __future__ import annotations

from django.db import models

from incidents.models import EventKind


class Channel(models.TextChoices):
    """The ways to tell somebody. All but e-mail are endpoints: somewhere that a program, not a mailbox, listens."""

    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"
    SLACK = "slack", "Slack"
    DISCORD = "discord", "Discord"
    TEAMS = "teams", "Microsoft Teams"
    MATTERMOST = "mattermost", "Mattermost or Rocket.Chat"
    TELEGRAM = "telegram", "Telegram"
    NTFY = "ntfy", "ntfy"
    SMS = "sms", "SMS"


# A text message interrupts: only the first word, the last one, and the beginning of a maintenance (contract 4.3).
_WORTH_A_TEXT_MESSAGE = {
    EventKind.INCIDENT_OPENED,
    EventKind.INCIDENT_REOPENED,
    EventKind.INCIDENT_RESOLVED,
    "maintenance.started",
}


def channels_for(kind: str) -> list[Channel]:
    """The channels that carry news of this kind of event. A component's bare change is for programs alone (4.1)."""
    if kind == EventKind.COMPONENT_STATUS:
        return [Channel.WEBHOOK]
    return [channel for channel in Channel if channel != Channel.SMS or kind in _WORTH_A_TEXT_MESSAGE]
