from statuspage.notifications.transports.base import ChannelDown, Transport, TransportError
from statuspage.notifications.transports.discord import DiscordTransport
from statuspage.notifications.transports.email import EmailTransport
from statuspage.notifications.transports.http_base import HttpTransport
from statuspage.notifications.transports.mattermost import MattermostTransport
from statuspage.notifications.transports.ntfy import NtfyTransport
from statuspage.notifications.transports.slack import SlackTransport
from statuspage.notifications.transports.sms import SmsTransport
from statuspage.notifications.transports.teams import TeamsTransport
from statuspage.notifications.transports.telegram import TelegramTransport
from statuspage.notifications.transports.webhook import WebhookTransport
from statuspage.subscribers.models import Channel

# All channels but email: staff can add their endpoints.
ENDPOINT_TRANSPORTS: dict[str, type[HttpTransport]] = {
    Channel.WEBHOOK: WebhookTransport,
    Channel.SLACK: SlackTransport,
    Channel.TEAMS: TeamsTransport,
    Channel.DISCORD: DiscordTransport,
    Channel.MATTERMOST: MattermostTransport,
    Channel.TELEGRAM: TelegramTransport,
    Channel.NTFY: NtfyTransport,
    Channel.SMS: SmsTransport,
}
TRANSPORTS: dict[str, type[Transport]] = {Channel.EMAIL: EmailTransport, **ENDPOINT_TRANSPORTS}

__all__ = ["ENDPOINT_TRANSPORTS", "TRANSPORTS", "ChannelDown", "HttpTransport", "Transport", "TransportError"]
