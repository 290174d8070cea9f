from __future__ import annotations

from django.conf import settings
from django.db import models

from incidents.models import Page
from statuspage.notifications.models.staff_notices import StaffNotice, StaffNoticeQuerySet


class OverdueNoticeQuerySet(StaffNoticeQuerySet["OverdueNotice"]):
    def note(self, page: Page, person: int, week: str) -> None:
        """Once a week, whoever notes it. What is there already costs no write."""
        if not self.filter(page=page, person=person, week=week).exists():
            self.bulk_create([OverdueNotice(page=page, person_id=person, week=week)], ignore_conflicts=True)

    def waiting_people(self) -> list[int]:
        """Those for whom there is one to send: their primary keys."""
        return list(self.claimable().order_by("person").values_list("person", flat=True).distinct())

    def of_person(self, person: int) -> OverdueNoticeQuerySet:
        return self.filter(person=person)


class OverdueNotice(StaffNotice):
    """That `person` owns action items that are overdue, in one ISO week (`2026-W48`)."""

    page = models.ForeignKey(Page, models.CASCADE, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    week = models.CharField(max_length=8)

    objects = OverdueNoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["page", "person", "week"], name="overdue_told_once_a_week"),
        ]

    def __str__(self) -> str:
        return f"Overdue in {self.week}, person {self.person_id}"
