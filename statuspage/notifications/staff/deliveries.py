"""Deliveries to people: whether one is still wanted, and its message."""

from __future__ import annotations

from django.core.mail import EmailMessage
from django.utils import timezone

from statuspage.notifications.messages.staff_email import StaffEmail, notice_message, password_reset_message
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.models.staff_notices import StaffNotice, StaffNoticeKind
from statuspage.notifications.staff import overdue_action_items, overdue_updates


class NoLongerTrue(Exception):
    """What the notice is about ended between the check and the rendering of its email."""


def reason_to_skip_person(delivery: Delivery) -> str:
    """Why `delivery` to a person must not be sent, in a sentence for staff; empty if it may be sent."""
    person = delivery.person
    if person is None or not person.is_active:
        return "This person can no longer sign in."
    if delivery.notice is None:
        return ""
    if not _wants(delivery.notice, person):
        return "This person no longer gets these emails."
    return "" if _content(delivery.notice) else "It was no longer true when it was to be sent."


def message_to_person(delivery: Delivery) -> EmailMessage:
    person, notice = delivery.person, delivery.notice
    if person and delivery.kind == DeliveryKind.PASSWORD_RESET:
        return password_reset_message(person, key=delivery.pk)
    content = _content(notice) if notice else None
    if person is None or content is None:
        raise NoLongerTrue(str(delivery))
    return notice_message(content, person)


def _wants(notice: StaffNotice, person: object) -> bool:
    if notice.kind == StaffNoticeKind.OVERDUE_ACTION_ITEMS:
        return True
    return person in overdue_updates.people_to_remind()


def _content(notice: StaffNotice) -> StaffEmail | None:
    if notice.kind == StaffNoticeKind.OVERDUE_ACTION_ITEMS:
        return overdue_action_items.email_of(notice, timezone.now())
    return overdue_updates.email_of(notice, timezone.now())
