"""Turns the account emails that `accounts` requested into deliveries."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from incidents.models.event_kinds import Priority
from statuspage.accounts import ratelimit
from statuspage.accounts.models import AccountEmailRequest
from statuspage.accounts.password_reset import users_with_address
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Channel
from statuspage.subscribers.models.database_time import from_now

BATCH = 100
HOUR = 3600
# Every email contains a valid link, so this limit locks nobody out.
EMAILS_PER_ACCOUNT = 3


def fan_out_account_requests() -> None:
    """Create one delivery for each account and kind that was requested.

    An address without an account is discarded here, apart from the request that named it: how long that request takes
    does not show whether the account exists. After a long outage, requests whose link would have expired are discarded.
    """
    if not AccountEmailRequest.objects.exists():
        return
    with transaction.atomic():
        expiry = from_now(-timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT))
        AccountEmailRequest.objects.filter(created_at__lt=expiry).delete()
        requests = list(AccountEmailRequest.objects.select_for_update(skip_locked=True).order_by("pk")[:BATCH])
        recipients = {
            (request.kind, person.pk): person for request in requests for person in users_with_address(request.address)
        }
        Delivery.objects.bulk_create(
            Delivery(kind=kind, person=person, channel=Channel.EMAIL, priority=Priority.IMMEDIATE)
            for (kind, key), person in recipients.items()
            if ratelimit.allow(f"{kind}:{key}", EMAILS_PER_ACCOUNT, HOUR)
        )
        AccountEmailRequest.objects.filter(pk__in=[request.pk for request in requests]).delete()
