"""The content of a chat message about one update, which each chat formats differently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.urls import reverse

from incidents import clock
from incidents.models import Page
from incidents.models.states import ENDED, MAINTENANCE_STATUSES, Impact, Status
from incidents.text.wording import affected_sentence, moment_text
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.email import event_label, one_line, without_images
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind

# The colors of tokens.css in light mode.
GREEN, BLUE, AMBER, ORANGE, RED, GRAY = "#14774a", "#2a62b5", "#8a5b00", "#b34a0c", "#b5162f", "#5c6168"
_IMPACT_COLORS = {Impact.MINOR: AMBER, Impact.MAJOR: ORANGE, Impact.CRITICAL: RED, Impact.MAINTENANCE: BLUE}


@dataclass(frozen=True)
class ChatMessage:
    """One update as every chat shows it.

    `label`: what happened, usually the status. `body_html`: sanitized HTML. `color`: a color such as `#14774a`.
    """

    page: Page
    label: str
    title: str
    body_html: str
    affected: str
    posted_at: datetime
    url: str
    status: str
    color: str

    @property
    def headline(self) -> str:
        """`Identified: API outage`."""
        return one_line(f"{self.label}: {self.title}")

    @property
    def posted(self) -> str:
        return moment_text(self.posted_at, self.page.zone)

    @property
    def color_number(self) -> int:
        """The color as an integer."""
        return int(self.color[1:], 16)


def chat_message_of(delivery: Delivery, notification: Notification | None) -> ChatMessage:
    if delivery.kind == DeliveryKind.TEST:
        return _test(delivery.subscriber.page)
    if notification is None or notification.incident is None:
        raise ValueError(f"{delivery} has no incident.")
    incident = notification.incident
    message = ChatMessage(
        page=notification.page,
        label="Postmortem",
        title=incident.title,
        body_html="",
        affected=affected_sentence(incident.affected_components()),
        posted_at=notification.event.created_at,
        url=absolute_url(notification.page, reverse("public:incident", args=[incident.public_id])),
        status="postmortem",
        color=GRAY,
    )
    if notification.postmortem:
        return replace(message, body_html=without_images(notification.postmortem.body_html))
    if notification.update is None:
        raise ValueError(f"{notification.event} has neither an update nor a postmortem.")
    return replace(
        message,
        label=event_label(notification),
        body_html=without_images(notification.update.body_html),
        posted_at=notification.update.display_at,
        status=notification.update.status,
        color=color_of(notification.update.status, incident.impact),
    )


def color_of(status: str, impact: str) -> str:
    """Return green for an ended incident, blue for monitoring and maintenance, otherwise the color of the impact."""
    if status in ENDED:
        return GREEN
    if status == Status.MONITORING or status in MAINTENANCE_STATUSES:
        return BLUE
    return _IMPACT_COLORS.get(Impact(impact), GRAY)


def _test(page: Page) -> ChatMessage:
    return ChatMessage(
        page=page,
        label="Test",
        title=f"Test message from {page.name}",
        body_html="<p>This is a test message from the status page. Nothing is wrong.</p>",
        affected="",
        posted_at=clock.now(),
        url=absolute_url(page, "/"),
        status="test",
        color=GRAY,
    )
