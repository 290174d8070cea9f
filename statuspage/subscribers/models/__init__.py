from statuspage.notifications.models.bounces import Bounce, BounceKind
from statuspage.subscribers.models.channels import Channel
from statuspage.notifications.models.channel_states import ChannelState
from statuspage.notifications.models.deliveries import Delivery, DeliveryKind, DeliveryState, Priority, Progress
from statuspage.notifications.models.heartbeats import Heartbeat
from statuspage.subscribers.models.subscriptions import Detail, Interest
from statuspage.notifications.models.mail_tests import MailTest
from statuspage.notifications.models.overdue_notices import OverdueNotice
from statuspage.publishing.models import Publication
from statuspage.notifications.models.staff_notices import ReminderKind, StaffNotice, StaffReminder
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
