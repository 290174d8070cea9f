"""Check at the time of sending whether a delivery should still be sent."""

from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.staff.deliveries import reason_to_skip_person
from statuspage.subscribers.models import Subscriber, SubscriberState

# For messages about a subscription: the subscriber states in which they are obsolete, and the reason to record.
_OBSOLETE: dict[str, tuple[set[SubscriberState], str]] = {
    DeliveryKind.CONFIRMATION: ({SubscriberState.ACTIVE}, "The subscriber had already confirmed."),
    DeliveryKind.ENDPOINT_CONFIRMATION: ({SubscriberState.ACTIVE}, "The subscriber had already confirmed."),
    DeliveryKind.ENDPOINT_DISABLED: (
        set(SubscriberState) - {SubscriberState.PAUSED},
        "The endpoint was enabled again or removed.",
    ),
    DeliveryKind.CHALLENGE: (
        set(SubscriberState) - {SubscriberState.VERIFYING},
        "The endpoint was verified or removed before this was sent.",
    ),
    DeliveryKind.TEST: ({SubscriberState.UNSUBSCRIBED}, "The endpoint was removed."),
}


def reason_to_skip(delivery: Delivery, notification: Notification | None) -> str:
    """Return why `delivery` must not be sent, as a message for staff; empty if it can be sent."""
    if delivery.person_id:
        return reason_to_skip_person(delivery)
    subscriber = delivery.subscriber
    if delivery.kind in _OBSOLETE:
        states, reason = _OBSOLETE[delivery.kind]
        return reason if subscriber.state in states else ""
    if not subscriber.is_active:
        return _inactive_reason(subscriber)
    if delivery.kind == DeliveryKind.EVENT and notification is None:
        return "The incident no longer exists."
    return notification.withdrawn if notification else ""


def _inactive_reason(subscriber: Subscriber) -> str:
    if subscriber.state == SubscriberState.PAUSED:
        return f"The subscriber was paused: {subscriber.paused_reason}"
    return "The subscriber unsubscribed before this was sent."
