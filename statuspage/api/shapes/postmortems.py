"""Postmortems."""

from datetime import datetime

from incidents.models import (
    Event,
    Page,
    Postmortem,
)
from statuspage.api.schemas.postmortems import PostmortemOut
from statuspage.common.json_responses import wire_of


def postmortem_out(page: Page, postmortem: Postmortem) -> PostmortemOut:
    wire = wire_of(page)
    published = postmortem.is_published
    return PostmortemOut(
        body=postmortem.body if published else None,
        body_updated_at=wire.time_or_none(changed_at(postmortem)) if published else None,
        body_draft=postmortem.draft or None,
        body_draft_updated_at=wire.time(postmortem.updated_at) if postmortem.draft else None,
        published_at=wire.time_or_none(postmortem.published_at),
        notify_subscribers=bool(Event.objects.told_of_postmortems([postmortem.incident])),
        created_at=wire.time(postmortem.created_at),
        updated_at=wire.time(postmortem.updated_at),
    )


def changed_at(postmortem: Postmortem) -> datetime | None:
    return postmortem.edited_at or postmortem.published_at
