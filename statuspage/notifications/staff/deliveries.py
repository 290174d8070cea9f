"""Deliveries to people: whether one is still wanted, and its message."""

from __future__ import annotations

from django.core.mail import EmailMessage
from django.utils import timezone

from statuspage.accounts.models import User
from statuspage.notifications.messages.staff_email import StaffEmail, notice_message, password_reset_message
from statuspage.notifications.models import Delivery, DeliveryKind
from statuspage.notifications.models.staff_notices import StaffNotice, StaffNoticeKind
from statuspage.notifications.staff import overdue_action_items, overdue_updates


class NoLongerTrue(Exception):
    """The notice is no longer true, so its email is not sent. The message is the reason, for staff."""


def reason_to_skip_person(delivery: Delivery) -> str:
    """Return why `delivery` to a person must not be sent; empty if it may. `message_to_person` checks its content."""
    person = delivery.person
    if person is None or not person.is_active:
        return "This person can no longer sign in."
    if delivery.notice and not _wants(delivery.notice, person):
        return "This person no longer receives these emails."
    return ""


def message_to_person(delivery: Delivery) -> EmailMessage:
    """Raise NoLongerTrue if the notice ended meanwhile."""
    person, notice = delivery.person, delivery.notice
    if person and delivery.kind == DeliveryKind.PASSWORD_RESET:
        return password_reset_message(person, key=delivery.key)
    content = _content(notice) if notice else None
    if person is None or content is None:
        raise NoLongerTrue("It was no longer true when it was to be sent.")
    return notice_message(content, person, key=delivery.key)


def _wants(notice: StaffNotice, person: User) -> bool:
    if notice.kind == StaffNoticeKind.OVERDUE_ACTION_ITEMS:
        return True
    return User.objects.to_remind().filter(pk=person.pk).exists()


def _content(notice: StaffNotice) -> StaffEmail | None:
    if notice.kind == StaffNoticeKind.OVERDUE_ACTION_ITEMS:
        return overdue_action_items.email_of(notice, timezone.now())
    return overdue_updates.email_of(notice, timezone.now())
