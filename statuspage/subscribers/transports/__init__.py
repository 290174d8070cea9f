from statuspage.subscribers.models import Channel
from statuspage.subscribers.transports.base import ChannelDown, Transport, TransportError
from statuspage.subscribers.transports.email import EmailTransport

TRANSPORTS: dict[str, type[Transport]] = {
    Channel.EMAIL: EmailTransport,
}

__all__ = ["TRANSPORTS", "ChannelDown", "Transport", "TransportError"]
