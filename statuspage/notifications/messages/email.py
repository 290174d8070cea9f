"""Writing a mail: once for all its recipients, with gaps for each one's links."""

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

from incidents.models import EventKind, Incident, Page
from incidents.text.time_shorthand import body_told, postmortem_told
from incidents.text.wording import affected_sentence, lead_text, moment_with_utc, window_text_with_utc
from statuspage.common.urls import absolute_url
from statuspage.notifications.messages.notification import Notification
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.subscribers.models import Subscriber

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# As nh3 writes it: every value in double quotes.
_IMAGE = re.compile(r'<img((?:\s+[a-z]+="[^"]*")*)\s*/?>')
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

# What differs from reader to reader within a text (transports.mail.messages fills it in).
_LINKS = ("unsubscribe", "manage", "confirm", "endpoint")


@dataclass(frozen=True)
class EmailTemplate:
    """A mail but for its recipient. In `text` and `html`, each of `gaps` stands for one of the reader's links.
    `campaign`: what its Feedback-ID counts it with, the incident's public id."""

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
        """The page's name over the address of MAIL_FROM."""
        return formataddr((one_line(self.page.name), sender_address()))


def sender_address() -> str:
    return _address_in(settings.DEFAULT_FROM_EMAIL)


@lru_cache(maxsize=8)
def _address_in(sender: str) -> str:
    return parseaddr(sender)[1]


def one_line(text: str) -> str:
    """`text` as a header may carry it: no line break, no control character."""
    return " ".join(_CONTROL.sub(" ", text).split())


def email_for(kind: str, reader: Subscriber, notification: Notification | None) -> EmailTemplate:
    """For everybody who reads in `reader`'s language and zone."""
    with translation.override(reader.language):
        return replace(_email_for(kind, reader, notification), kind=kind)


def _email_for(kind: str, reader: Subscriber, notification: Notification | None) -> EmailTemplate:
    page = reader.page
    if kind == DeliveryKind.EVENT and notification is not None:
        return notification_email(notification, zone=reader.zone)
    name = one_line(page.name)
    if kind == DeliveryKind.ENDPOINT_CONFIRMATION:
        return _build_email(page, "endpoint_confirmation", f"[{name}] Please confirm your webhook", {})
    if kind == DeliveryKind.ENDPOINT_DISABLED:
        return _build_email(page, "endpoint_disabled", f"[{name}] We have stopped calling your endpoint", {})
    if kind == DeliveryKind.CONFIRMATION:
        return _build_email(page, "confirmation", f"[{name}] Please confirm your subscription", {})
    return _build_email(page, "reminder", f"[{name}] You are already subscribed", {})


def notification_email(notification: Notification, *, zone: tzinfo) -> EmailTemplate:
    """The mail about an update, or about a postmortem, with its times in `zone`."""
    if notification.incident is None:
        raise ValueError(f"{notification.event} is about no incident.")
    if notification.postmortem:
        status, label, posted_at = (
            "postmortem",
            "Postmortem",
            notification.postmortem.published_at or notification.event.created_at,
        )
        body, body_html = (
            postmortem_told(notification.postmortem, notification.incident),
            notification.postmortem.body_html,
        )
    elif notification.update:
        status, label, posted_at = notification.update.status, notification.update.label, notification.update.display_at
        body, body_html = body_told(notification.update, notification.incident), notification.update.body_html
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
    """What happened, in a word or two before the title: of mails and chats alike."""
    label = notification.update.label if notification.update else "Postmortem"
    return (notification.event.properties.subject_label or label).format(lead=_lead(notification))


def _lead(notification: Notification) -> str:
    """How long it is until the maintenance that a reminder is about."""
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
    # Nobody who writes an incident's text can guess a gap, so no text can ask for a reader's links.
    gaps = {name: f"https://{name}.invalid/{secrets.token_hex(8)}" for name in _LINKS}
    context |= {"page": page, "subject": subject, "language": translation.get_language()} | {
        f"{name}_url": gap for name, gap in gaps.items()
    }
    text = render_to_string(_translations(f"{template}.txt"), context)
    html = render_to_string(_translations(f"{template}.html"), context)
    return EmailTemplate(page, subject, text.strip() + "\n", inlined(html), gaps, written_at)


def inlined(html: str) -> str:
    """With its style in the tags, where mail programs look for it."""
    return _INLINER.inline(html)


def _translations(name: str) -> list[str]:
    """Where the mail may be written in the present language; the first that is there is taken."""
    return [f"notifications/email/{translation.get_language()}/{name}", f"notifications/email/{name}"]


def without_images(html: str) -> SafeString:
    """Images become links: a mail that loads anything tells its sender who reads it, and when."""
    return mark_safe(_IMAGE.sub(_image_link, html))  # noqa: S308 - sanitised when written, and only made shorter here


def _image_link(image: re.Match[str]) -> str:
    attributes = {name: mark_safe(value) for name, value in _ATTRIBUTE.findall(image.group(1))}  # noqa: S308 - is HTML
    words = attributes.get("alt") or "Image"
    return format_html('<a href="{}">{}</a>', attributes.get("src", ""), words) if "src" in attributes else words


def feedback_id(campaign: str, page: Page, kind: str) -> str:
    """What large mailbox providers count complaints by: campaign:page:kind:sender. Says nothing of the reader."""
    return f"{campaign or 'subscription'}:{page.public_id}:{kind}:candor"


def thread_key(delivery: Delivery) -> tuple[object, ...]:
    """What the mails of one thread share: incident and subscriber."""
    return "incident", delivery.incident_id, delivery.subscriber.public_id


def message_key(delivery: Delivery) -> tuple[object, ...]:
    """What a mail is: event and subscriber, or the row itself where there is no event."""
    if delivery.event_id:
        return "event", delivery.event_id, delivery.subscriber.public_id
    return "delivery", delivery.pk, delivery.subscriber.public_id
