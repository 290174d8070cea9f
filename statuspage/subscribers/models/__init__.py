from statuspage.subscribers.models.channels import Channel
from statuspage.subscribers.models.subscribers import Subscriber, SubscriberState
from statuspage.subscribers.models.subscriptions import Detail, Interest

__all__ = ["Channel", "Detail", "Interest", "Subscriber", "SubscriberState"]
