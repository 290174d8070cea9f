from __future__ import annotations

import zoneinfo
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from incidents import colors
from incidents.models.base import new_public_id
from incidents.models.logos import PageLogo


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Use a name like Europe/Berlin or Etc/UTC.")


def _logo() -> models.OneToOneField[Any, Any]:
    return models.OneToOneField(PageLogo, models.SET_NULL, null=True, blank=True, related_name="+")


def _weight(default: str) -> models.DecimalField[Any, Any]:
    """Return a field for the share of a status's time that counts as downtime."""
    return models.DecimalField(
        max_digits=3,
        decimal_places=2,
        default=Decimal(default),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(1))],
    )


class PageQuerySet(models.QuerySet["Page"]):
    def for_host(self, host: str) -> Page | None:
        """Return the page with this host name (without port), or the first page of the installation.

        Loads the logos without their content.
        """
        pages = self.select_related("logo", "logo_dark").defer("logo__content", "logo_dark__content")
        return pages.order_by(models.Case(models.When(domain=host.lower(), then=0), default=1), "pk").first()

    def first_ids(self, limit: int) -> dict[int, str]:
        """Return the public ids of the first `limit` pages by their primary keys."""
        return dict(self.order_by("pk").values_list("pk", "public_id")[:limit])


class Page(models.Model):
    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    name = models.CharField(max_length=100)
    domain = models.CharField(max_length=253, blank=True, help_text="Host name, without https:// and port.")
    description = models.TextField(blank=True, max_length=2000)
    support_url = models.URLField(blank=True)
    time_zone = models.CharField(max_length=64, default="Etc/UTC", validators=[validate_time_zone])
    footer = models.CharField(max_length=300, blank=True)
    # Color of links and focus (`#rrggbb`) on light and dark backgrounds; empty: the default.
    accent = models.CharField(max_length=7, blank=True)
    accent_dark = models.CharField(max_length=7, blank=True)
    # Shown instead of the name on light and dark backgrounds. Without `logo_dark`, `logo` is used for both.
    logo = _logo()
    logo_dark = _logo()
    analytics_public = models.BooleanField(default=False)
    reports_public = models.BooleanField(default=False)
    # Colors and position of the widget, by Statuspage's names. Missing keys have their defaults.
    embed_config: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict, blank=True)
    # Delay in seconds before console publications take effect. They can be undone until then.
    undo_seconds = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(600)])
    requires_approval = models.BooleanField(default=False)
    postmortems_need_approval = models.BooleanField(default=False)
    # Initial Markdown text of postmortems; empty: incidents.text.default_templates.OUTLINE.
    postmortem_outline = models.TextField(blank=True, max_length=5000)
    # Proofreading settings, read by incidents.proofreading.ProofreadingOptions.
    proofreading: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    # Reminders to staff about overdue updates, read by incidents.reminders.overdue_updates.Reminders.
    staff_reminders: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    major_weight = _weight("1")
    partial_weight = _weight("0.3")
    degraded_weight = _weight("0")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = PageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["domain"], condition=~models.Q(domain=""), name="page_domain_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def reviews_postmortems(self) -> bool:
        """Whether a second person must approve a postmortem before it is published."""
        return self.requires_approval or self.postmortems_need_approval

    @property
    def accents(self) -> tuple[str, str] | None:
        """Return the accent colors on light and dark backgrounds; None for the defaults."""
        if not self.accent and not self.accent_dark:
            return None
        light = self.accent or colors.ACCENT
        return light, self.accent_dark or colors.nearest(light, *colors.DARK)

    @property
    def logos(self) -> list[PageLogo]:
        return [logo for logo in (self.logo, self.logo_dark) if logo]

    @property
    def zone_name(self) -> str:
        """Return the name for display: `UTC`, `Europe/Berlin`."""
        return "UTC" if self.time_zone == "Etc/UTC" else self.time_zone

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)
