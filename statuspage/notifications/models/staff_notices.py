"""What members of staff are notified about by email. Each person's email is a delivery of the notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from incidents.models import Incident, IncidentUpdate, Page
from incidents.models.event_kinds import Priority
from statuspage.accounts.models import User
from statuspage.notifications.models.deliveries import Delivery
from statuspage.notifications.models.delivery_states import DeliveryKind
from statuspage.subscribers.models import Channel


class StaffNoticeKind(models.TextChoices):
    OVERDUE_UPDATE = "overdue_update", "Overdue update"
    UNRESTORED_COMPONENTS = "unrestored", "Components not operational after resolution"
    OVERDUE_ACTION_ITEMS = "action_items", "Overdue action items"


class StaffNoticeQuerySet(models.QuerySet["StaffNotice"]):
    def remind_after(self, update: IncidentUpdate, kind: str, *, number: int = 1, people: Iterable[User]) -> None:
        """Queue one email for each of `people`, once for each (update, kind, number)."""
        if self.filter(after=update, kind=kind, number=number).exists():
            return
        incident = update.incident
        fields = {"page": incident.page, "incident": incident}
        self._queue({"after": update, "kind": kind, "number": number}, fields, people)

    def remind_owner(self, page: Page, person: User, *, week: str) -> None:
        """Queue one email about overdue action items for `person`, once a week."""
        if self.filter(page=page, person=person, week=week).exists():
            return
        fields = {"kind": StaffNoticeKind.OVERDUE_ACTION_ITEMS}
        self._queue({"page": page, "person": person, "week": week}, fields, [person])

    @transaction.atomic
    def _queue(self, key: Mapping[str, object], fields: Mapping[str, object], people: Iterable[User]) -> None:
        """Several dispatchers may call it at once: only the one that creates the notice creates the deliveries."""
        notice, created = self.get_or_create(**key, defaults=fields)
        if created:
            Delivery.objects.bulk_create(
                Delivery(
                    kind=DeliveryKind.STAFF_NOTICE,
                    notice=notice,
                    person=person,
                    channel=Channel.EMAIL,
                    priority=Priority.IMMEDIATE,
                )
                for person in people
            )


class StaffNotice(models.Model):
    """An overdue update or unrestored components, or the overdue action items of `person` in an ISO week (`2026-W48`).

    `after` is the update that started the interval, and `number` counts the reminders since then, starting at 1. If a
    notice is outdated before it is sent, it is deleted, so that it can be created again.
    """

    kind = models.CharField(max_length=16, choices=StaffNoticeKind)
    page = models.ForeignKey(Page, models.CASCADE, related_name="+")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="+")
    after = models.ForeignKey(IncidentUpdate, models.CASCADE, null=True, related_name="+")
    number = models.PositiveSmallIntegerField(default=1)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    week = models.CharField(max_length=8, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    objects = StaffNoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["after", "kind", "number"], condition=Q(after__isnull=False), name="staff_reminded_once"
            ),
            models.UniqueConstraint(
                fields=["page", "person", "week"], condition=Q(person__isnull=False), name="owner_reminded_once_a_week"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"
