"""Subscribers in an export of a page, and back. What somebody could use to write into their chats stays out of it,
unless it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from incidents.models import Component, ComponentGroup, Incident, Page
from incidents.transfer.records import Outcome, Result
from incidents.transfer.serialization import read, written
from statuspage.subscribers.models import Channel, Interest, Subscriber

PIECE = 500
SECRETS = ("secret", "old_secret")
# Whoever knows the address of a webhook or of a chat's hook can use it.
OPEN_CHANNELS = (Channel.EMAIL, Channel.SMS)


def objects(page: Page, *, with_secrets: bool) -> Iterator[dict[str, Any]]:
    rows = Subscriber.objects.of_page(page).with_preferences().order_by("pk")
    for subscriber in rows.iterator(chunk_size=PIECE):
        raw = {"type": "subscriber", **written(subscriber)}
        if not with_secrets:
            raw |= dict.fromkeys(SECRETS, "")
            raw |= {} if subscriber.channel in OPEN_CHANNELS else {"endpoint": ""}
        chosen = list(subscriber.interests.all())
        raw["groups"] = [one.group.public_id for one in chosen if one.group]
        raw["components"] = [one.component.public_id for one in chosen if one.component]
        raw["incidents"] = [one.incident.public_id for one in chosen if one.incident]
        yield raw


@transaction.atomic
def restore_subscriber(page: Page, raw: Mapping[str, Any]) -> Result:
    """Whoever is here already stays as they are. ValidationError or KeyError: not what an export writes."""
    fields = read(Subscriber, raw)
    if fields["channel"] != Channel.EMAIL and not fields["endpoint"]:
        raise ValidationError("its address is not in the file: export it with --with-secrets")
    address = Q(**{name: fields[name] for name in ("channel", "email", "endpoint")})
    if Subscriber.objects.of_page(page).filter(address | Q(public_id=fields["public_id"])).exists():
        return Result(Outcome.UNCHANGED)
    subscriber = Subscriber.objects.create(page=page, **fields)
    Interest.objects.bulk_create(
        [
            *(Interest(subscriber=subscriber, group=one) for one in _found(ComponentGroup, page, raw["groups"])),
            *(Interest(subscriber=subscriber, component=one) for one in _found(Component, page, raw["components"])),
            *(Interest(subscriber=subscriber, incident=one) for one in _found(Incident, page, raw["incidents"])),
        ]
    )
    return Result(Outcome.CREATED)


def _found(model: Any, page: Page, codes: list[str]) -> list[Any]:
    """In the order of `codes`."""
    found = {one.public_id: one for one in model.objects.filter(page=page, public_id__in=codes)} if codes else {}
    return [found[code] for code in codes if code in found]
