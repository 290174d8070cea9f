from __future__ import annotations

from django.db import models

from incidents.models.event_kinds import properties_of


class Channel(models.TextChoices):
    """The notification channels. All channels but email are endpoints."""

    EMAIL = "email", "Email"
    WEBHOOK = "webhook", "Webhook"
    SLACK = "slack", "Slack"
    DISCORD = "discord", "Discord"
    TEAMS = "teams", "Microsoft Teams"
    MATTERMOST = "mattermost", "Mattermost or Rocket.Chat"
    TELEGRAM = "telegram", "Telegram"
    NTFY = "ntfy", "ntfy"
    SMS = "sms", "SMS"


def channels_for(kind: str) -> list[Channel]:
    """Return the channels that carry notifications of this kind of event.

    Text messages interrupt people, so few kinds are worth one (contract section 4.3). The change of a component alone
    is sent to webhooks only (contract section 4.1).
    """
    properties = properties_of(kind)
    if properties.webhooks_only:
        return [Channel.WEBHOOK]
    return [channel for channel in Channel if channel != Channel.SMS or properties.by_sms]
