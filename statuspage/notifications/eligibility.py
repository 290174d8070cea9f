"""What is asked once more at the moment of sending: is this still wanted?"""

from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.staff.deliveries import reason_to_skip_person
from statuspage.subscribers.models import Subscriber, SubscriberState

# In which states of the subscriber a message about the subscription itself is pointless, and what is said of it then.
_POINTLESS: dict[str, tuple[set[SubscriberState], str]] = {
    DeliveryKind.CONFIRMATION: ({SubscriberState.ACTIVE}, "They had already confirmed."),
    DeliveryKind.ENDPOINT_CONFIRMATION: ({SubscriberState.ACTIVE}, "They had already confirmed."),
    DeliveryKind.ENDPOINT_DISABLED: (
        set(SubscriberState) - {SubscriberState.PAUSED},
        "The endpoint was switched on again, or removed.",
    ),
    DeliveryKind.CHALLENGE: (
        set(SubscriberState) - {SubscriberState.VERIFYING},
        "The endpoint was confirmed meanwhile, or removed.",
    ),
    DeliveryKind.TEST: ({SubscriberState.UNSUBSCRIBED}, "The endpoint was removed."),
}


def reason_to_skip(delivery: Delivery, notification: Notification | None) -> str:
    """Why `delivery` must not be sent any more, in words for staff; empty if it may."""
    if delivery.person_id:
        return reason_to_skip_person(delivery)
    subscriber = delivery.subscriber
    if delivery.kind in _POINTLESS:
        states, reason = _POINTLESS[delivery.kind]
        return reason if subscriber.state in states else ""
    if not subscriber.is_active:
        return _gone(subscriber)
    if delivery.kind == DeliveryKind.EVENT and notification is None:
        return "The incident is gone."
    return notification.withdrawn if notification else ""


def _gone(subscriber: Subscriber) -> str:
    if subscriber.state == SubscriberState.PAUSED:
        return f"The subscriber was paused: {subscriber.paused_reason}"
    return "They unsubscribed before this was sent."
