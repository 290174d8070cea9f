from statuspage.subscribers.models.bounces import Bounce, BounceKind
from statuspage.subscribers.models.channels import Channel, ChannelState
from statuspage.subscribers.models.deliveries import Delivery, DeliveryKind, DeliveryState, Priority, Progress
from statuspage.subscribers.models.heartbeats import Heartbeat
from statuspage.subscribers.models.interests import Detail, Interest
from statuspage.subscribers.models.mailtests import MailTest
from statuspage.subscribers.models.overdue import OverdueNotice
from statuspage.subscribers.models.publications import Publication
from statuspage.subscribers.models.staffmail import ReminderKind, StaffNotice, StaffReminder
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState

__all__ = [
    "Bounce",
    "BounceKind",
    "Channel",
    "ChannelState",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "Detail",
    "Heartbeat",
    "Interest",
    "MailTest",
    "OverdueNotice",
    "Priority",
    "Progress",
    "Publication",
    "ReminderKind",
    "StaffNotice",
    "StaffReminder",
    "Subscriber",
    "SubscriberState",
]
