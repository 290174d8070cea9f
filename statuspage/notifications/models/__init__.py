from incidents.models.event_kinds import Priority
from statuspage.notifications.models.bounces import Bounce, BounceKind
from statuspage.notifications.models.channel_states import ChannelState
from statuspage.notifications.models.deliveries import Delivery
from statuspage.notifications.models.delivery_states import DeliveryKind, DeliveryState, Progress
from statuspage.notifications.models.delivery_totals import DeliveryTotal
from statuspage.notifications.models.heartbeats import Heartbeat
from statuspage.notifications.models.mail_tests import MailTest
from statuspage.notifications.models.staff_notices import StaffNotice, StaffNoticeKind

__all__ = [
    "Bounce",
    "BounceKind",
    "ChannelState",
    "Delivery",
    "DeliveryKind",
    "DeliveryState",
    "DeliveryTotal",
    "Heartbeat",
    "MailTest",
    "Priority",
    "Progress",
    "StaffNotice",
    "StaffNoticeKind",
]
