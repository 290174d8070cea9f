from statuspage.subscribers.models.channels import Channel
from statuspage.subscribers.models.email_requests import EmailRequest, EmailRequestKind
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState
from statuspage.subscribers.models.subscriptions import Detail, Interest
from statuspage.subscribers.models.suppressions import Suppression

__all__ = [
    "Channel",
    "Detail",
    "EmailRequest",
    "EmailRequestKind",
    "Interest",
    "Subscriber",
    "SubscriberState",
    "Suppression",
]
