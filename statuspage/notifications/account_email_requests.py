"""Turns the account emails that `accounts` requested into deliveries."""

from __future__ import annotations

from django.db import transaction

from incidents.models.event_kinds import Priority
from statuspage.accounts.models import AccountEmailRequest
from statuspage.accounts.password_reset import users_with_address
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Channel

BATCH = 100


def fan_out_account_requests() -> int:
    """Create a delivery for each account with a requested address. Return the number of requests.

    An address without an account is discarded here, beside the request that named it: how long that request takes does
    not show whether the account exists.
    """
    if not AccountEmailRequest.objects.exists():
        return 0
    with transaction.atomic():
        requests = list(AccountEmailRequest.objects.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
        Delivery.objects.bulk_create(
            Delivery(kind=request.kind, person=person, channel=Channel.EMAIL, priority=Priority.IMMEDIATE)
            for request in requests
            for person in users_with_address(request.address)
        )
        AccountEmailRequest.objects.filter(pk__in=[request.pk for request in requests]).delete()
    return len(requests)
