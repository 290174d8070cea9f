"""The page and its widget."""

from django.conf import settings

from incidents.models import (
    Page,
)
from statuspage.api.schemas.embed import EmbedOut
from statuspage.api.schemas.pages import PageOut
from statuspage.common.json_responses import wire_of

EMBED = {
    "position": "bottom-left",
    "incident_background_color": "#df484a",
    "incident_text_color": "#ffffff",
    "maintenance_background_color": "#3498db",
    "maintenance_text_color": "#ffffff",
}


def page_out(page: Page) -> PageOut:
    wire = wire_of(page)
    return PageOut(
        id=page.public_id,
        created_at=wire.time(page.created_at),
        updated_at=wire.time(page.updated_at),
        name=page.name,
        page_description=page.description or None,
        domain=page.domain or None,
        url=wire.home_url,
        support_url=page.support_url or None,
        allow_sms_subscribers=bool(settings.SMS_GATEWAY_URL),
        notifications_from_email=settings.DEFAULT_FROM_EMAIL,
        notifications_email_footer=(
            f"You received this email because you are subscribed to {page.name}'s service status notifications."
        ),
        time_zone=page.time_zone,
    )


def embed_out(page: Page) -> EmbedOut:
    return EmbedOut(page_id=page.public_id, **EMBED | page.embed_config)
