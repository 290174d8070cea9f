from statuspage.subscribers.models import Channel
from statuspage.subscribers.transports.base import ChannelDown, Transport, TransportError
from statuspage.subscribers.transports.discord import DiscordTransport
from statuspage.subscribers.transports.email import EmailTransport
from statuspage.subscribers.transports.http import HttpTransport
from statuspage.subscribers.transports.mattermost import MattermostTransport
from statuspage.subscribers.transports.ntfy import NtfyTransport
from statuspage.subscribers.transports.slack import SlackTransport
from statuspage.subscribers.transports.sms import SmsTransport
from statuspage.subscribers.transports.teams import TeamsTransport
from statuspage.subscribers.transports.telegram import TelegramTransport
from statuspage.subscribers.transports.webhook import WebhookTransport

# All but e-mail: what staff can add as an endpoint.
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
