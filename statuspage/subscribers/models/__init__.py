from statuspage.subscribers.models.channels import Channel, ChannelState
from statuspage.subscribers.models.deliveries import Delivery, DeliveryKind, DeliveryState, Priority, Progress
from statuspage.subscribers.models.heartbeats import Heartbeat
from statuspage.subscribers.models.publications import Publication
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState

__all__ = [
    "Channel",
    "ChannelState",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Heartbeat",
    "Priority",
    "Progress",
    "Publication",
    "Subscriber",
    "SubscriberState",
]
