"""Export subscribers of a page and restore them. Secrets are exported only on request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from incidents.models import Component, ComponentGroup, Incident, Page
from incidents.transfer.records import ImportOutcome, ImportResult
from incidents.transfer.serialization import read, written
from statuspage.subscribers.models import Channel, Interest, Subscriber

CHUNK_SIZE = 500
SECRETS = ("secret", "old_secret")
# Channels whose address is not a secret. Anyone who knows the URL of a webhook can use it.
OPEN_CHANNELS = (Channel.EMAIL, Channel.SMS)


def objects(page: Page, *, with_secrets: bool) -> Iterator[dict[str, Any]]:
    rows = Subscriber.objects.of_page(page).with_preferences().order_by("pk")
    for subscriber in rows.iterator(chunk_size=CHUNK_SIZE):
        raw = {"type": "subscriber", **written(subscriber)}
        if not with_secrets:
            raw |= dict.fromkeys(SECRETS, "")
            raw |= {} if subscriber.channel in OPEN_CHANNELS else {"endpoint": ""}
        interests = list(subscriber.interests.all())
        raw["groups"] = [interest.group.public_id for interest in interests if interest.group]
        raw["components"] = [interest.component.public_id for interest in interests if interest.component]
        raw["incidents"] = [interest.incident.public_id for interest in interests if interest.incident]
        yield raw


@transaction.atomic
def restore_subscriber(page: Page, raw: Mapping[str, Any]) -> ImportResult:
    """Create the subscriber unless it exists. ValidationError or KeyError if `raw` is not part of an export."""
    fields = read(Subscriber, raw)
    if fields["channel"] != Channel.EMAIL and not fields["endpoint"]:
        raise ValidationError("its address is not in the file: export it with --with-secrets")
    address = Q(**{name: fields[name] for name in ("channel", "email", "endpoint")})
    if Subscriber.objects.of_page(page).filter(address | Q(public_id=fields["public_id"])).exists():
        return ImportResult(ImportOutcome.UNCHANGED)
    subscriber = Subscriber.objects.create(page=page, **fields)
    Interest.objects.bulk_create(
        [
            *(
                Interest(subscriber=subscriber, group=group)
                for group in _by_public_id(ComponentGroup, page, raw["groups"])
            ),
            *(
                Interest(subscriber=subscriber, component=component)
                for component in _by_public_id(Component, page, raw["components"])
            ),
            *(
                Interest(subscriber=subscriber, incident=incident)
                for incident in _by_public_id(Incident, page, raw["incidents"])
            ),
        ]
    )
    return ImportResult(ImportOutcome.CREATED)


def _by_public_id(model: Any, page: Page, public_ids: list[str]) -> list[Any]:
    """Return the objects in the order of `public_ids`."""
    objects = (
        {instance.public_id: instance for instance in model.objects.filter(page=page, public_id__in=public_ids)}
        if public_ids
        else {}
    )
    return [objects[public_id] for public_id in public_ids if public_id in objects]
