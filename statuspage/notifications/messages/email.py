"""Compose an email once for all recipients, with gaps for the links of each recipient."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from email.utils import formataddr, parseaddr
from functools import lru_cache
from typing import Any

import css_inline
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from incidents.models import EventKind, Incident, Page
from incidents.plain_text import plain_body, plain_postmortem_body
from incidents.text.wording import affected_sentence, lead_text, moment_with_utc, window_text_with_utc
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.subscribers.models import Subscriber

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# As nh3 serializes it: every value in double quotes.
_IMAGE = re.compile(r'<img((?:\s+[a-z]+="[^"]*")*)\s*/?>')
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

# The links that differ between recipients (filled in by transports.smtp.headers).
_LINKS = ("unsubscribe", "manage", "confirm", "endpoint")


@dataclass(frozen=True)
class EmailTemplate:
    """An email without its recipient. `gaps` are the placeholders in `text` and `html` for the recipient's links.

    `campaign`: the public id of the incident, which the Feedback-ID groups complaints by.
    """

    page: Page
    subject: str
    text: str
    html: str
    gaps: dict[str, str]
    written_at: datetime | None = None
    campaign: str = ""
    kind: str = DeliveryKind.EVENT

    @property
    def sender(self) -> str:
        """The name of the page with the address of MAIL_FROM."""
        return formataddr((one_line(self.page.name), sender_address()))


def sender_address() -> str:
    return _address_in(settings.DEFAULT_FROM_EMAIL)


def sender_domain() -> str:
    return sender_address().rpartition("@")[2] or "localhost"


@lru_cache(maxsize=8)
def _address_in(sender: str) -> str:
    return parseaddr(sender)[1]


def one_line(text: str) -> str:
    """Return `text` without line breaks and control characters, for a header."""
    return " ".join(_CONTROL.sub(" ", text).split())


def email_for(kind: str, subscriber: Subscriber, notification: Notification | None) -> EmailTemplate:
    """Return the email for all subscribers with the language and time zone of `subscriber`."""
    with translation.override(subscriber.language):
        return replace(_email_for(kind, subscriber, notification), kind=kind)


def _email_for(kind: str, subscriber: Subscriber, notification: Notification | None) -> EmailTemplate:
    page = subscriber.page
    if kind == DeliveryKind.EVENT and notification is not None:
        return notification_email(notification, zone=subscriber.zone)
    name = one_line(page.name)
    if kind == DeliveryKind.ENDPOINT_CONFIRMATION:
        return _build_email(page, "endpoint_confirmation", f"[{name}] {gettext('Please confirm your webhook')}", {})
    if kind == DeliveryKind.ENDPOINT_DISABLED:
        return _build_email(page, "endpoint_disabled", f"[{name}] {gettext('Your webhook was disabled')}", {})
    if kind == DeliveryKind.CONFIRMATION:
        return _build_email(page, "confirmation", f"[{name}] {gettext('Please confirm your subscription')}", {})
    return _build_email(page, "reminder", f"[{name}] {gettext('You are already subscribed')}", {})


def notification_email(notification: Notification, *, zone: tzinfo) -> EmailTemplate:
    """Return the email about an update or a postmortem, with times in `zone`."""
    if notification.incident is None:
        raise ValueError(f"{notification.event} has no incident.")
    if notification.postmortem:
        status, label, posted_at = (
            "postmortem",
            "Postmortem",
            notification.postmortem.published_at or notification.event.created_at,
        )
        body, body_html = (
            plain_postmortem_body(notification.postmortem, notification.incident),
            notification.postmortem.body_html,
        )
    elif notification.update:
        status, label, posted_at = notification.update.status, notification.update.label, notification.update.display_at
        body, body_html = plain_body(notification.update, notification.incident), notification.update.body_html
    else:
        raise ValueError(f"{notification.event} has neither an update nor a postmortem.")
    incident = notification.incident
    context = {
        "incident": incident,
        "status": status,
        "headline": _headline(notification, incident, label),
        "body": _CONTROL.sub("", body),
        "body_html": without_images(body_html),
        "posted": moment_with_utc(posted_at, zone),
        "window": window_text_with_utc(*incident.window, zone) if incident.is_maintenance else "",
        "affected": affected_sentence(incident.affected_components(), kind=incident.kind),
        "incident_url": absolute_url(notification.page, reverse("public:incident", args=[incident.public_id])),
    }
    subject = one_line(f"[{notification.page.name}] {event_label(notification)}: {incident.title}")
    email = _build_email(notification.page, "notification", subject, context, written_at=notification.event.created_at)
    return replace(email, campaign=incident.public_id)


def event_label(notification: Notification) -> str:
    """Return the label before the title, for emails and chats, such as `Identified`."""
    label = notification.update.label if notification.update else "Postmortem"
    return (notification.event.properties.subject_label or label).format(lead=_lead(notification))


def _lead(notification: Notification) -> str:
    """Return the time until the maintenance of a reminder."""
    if notification.incident is None or notification.event.kind != EventKind.MAINTENANCE_REMINDER:
        return ""
    return lead_text(notification.incident.window[0] - timezone.now())


def _headline(notification: Notification, incident: Incident, label: str) -> str:
    # Mail parsers look for these words (contract section 4.2).
    headline = notification.event.properties.email_headline
    if not headline:
        repeats = notification.update is not None and notification.update.repeats_status
        what = "Maintenance" if incident.is_maintenance else "Incident"
        return "An update has been posted" if repeats else f"{what} status: {label}"
    return headline.format(label=label, lead=_lead(notification))


def _build_email(
    page: Page, template: str, subject: str, context: dict[str, Any], *, written_at: datetime | None = None
) -> EmailTemplate:
    # Gaps are random, so the text of an incident cannot contain one and reveal the recipient's links.
    gaps = {name: f"https://{name}.invalid/{secrets.token_hex(8)}" for name in _LINKS}
    context |= {"page": page, "subject": subject, "language": translation.get_language()} | {
        f"{name}_url": gap for name, gap in gaps.items()
    }
    text = render_to_string(_translations(f"{template}.txt"), context)
    html = render_to_string(_translations(f"{template}.html"), context)
    return EmailTemplate(page, subject, text.strip() + "\n", inlined(html), gaps, written_at)


def inlined(html: str) -> str:
    """Return `html` with inline styles, as mail clients require."""
    return _INLINER.inline(html)


def _translations(name: str) -> list[str]:
    """Return the paths of the template for the current language; the first that exists is used."""
    return [f"notifications/email/{translation.get_language()}/{name}", f"notifications/email/{name}"]


def without_images(html: str) -> SafeString:
    """Replace images with links, because loading images would reveal who reads an email, and when."""
    return mark_safe(_IMAGE.sub(_image_link, html))  # noqa: S308 - sanitized when stored, and only shortened here


def _image_link(image: re.Match[str]) -> str:
    attributes = {name: mark_safe(value) for name, value in _ATTRIBUTE.findall(image.group(1))}  # noqa: S308 - is HTML
    label = attributes.get("alt") or gettext("Image")
    return format_html('<a href="{}">{}</a>', attributes.get("src", ""), label) if "src" in attributes else label


def feedback_id(campaign: str, page: Page, kind: str) -> str:
    """Return campaign:page:kind:sender, by which providers group complaints. Does not identify the recipient."""
    return f"{campaign or 'subscription'}:{page.public_id}:{kind}:candor"


def thread_key(delivery: Delivery) -> tuple[object, ...]:
    """Return what identifies the thread of an email: incident and subscriber."""
    return delivery.incident.public_id if delivery.incident else "", delivery.subscriber.public_id


def message_key(delivery: Delivery) -> tuple[object, ...]:
    """Return what identifies a message: its event or, if it has none, its own key, and the subscriber."""
    return delivery.event.public_key if delivery.event else delivery.key, delivery.subscriber.public_id
