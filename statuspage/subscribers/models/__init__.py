from statuspage.subscribers.models.channels import Channel, ChannelState
from statuspage.subscribers.models.deliveries import Delivery, DeliveryKind, DeliveryState, Priority, Progress
from statuspage.subscribers.models.heartbeats import Heartbeat
from statuspage.subscribers.models.interests import Detail, Interest
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState

__all__ = [
    "Channel",
    "ChannelState",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Detail",
    "Heartbeat",
    "Interest",
    "Priority",
    "Progress",
    "Subscriber",
    "SubscriberState",
]
