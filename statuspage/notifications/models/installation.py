"""The identity of this install, and whether its database belongs to the published files."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Coalesce, Now

from incidents.models.base import new_key


class Mismatch(models.TextChoices):
    """Why the database does not belong to the published files."""

    RESTORED = "restored", "the published files are newer than the database: a backup was restored"
    OTHER_INSTALL = "other_install", "the published files belong to another installation"
    EMPTY_DATABASE = "empty_database", "the database is empty, but a page is published"


class InstallationQuerySet(models.QuerySet["Installation"]):
    def current(self) -> Installation:
        return self.get_or_create(pk=1)[0]

    def report(self, mismatch: Mismatch) -> None:
        self.filter(pk=1).update(mismatch=mismatch, since=Coalesce("since", Now()), is_published_kept=False)

    def is_held(self) -> bool:
        """Return whether nothing may be sent or started until an operator decides."""
        return self.filter(pk=1, is_published_kept=False).exclude(mismatch="").exists()

    def keep_published(self) -> None:
        """Go on serving the published files. Nothing is published from this database."""
        self.filter(pk=1).update(is_published_kept=True)

    def keep_database(self) -> None:
        """Publish everything again from this database. Published files of the former key are replaced."""
        row = self.current()
        changes = {"key": new_key(), "former_keys": [*row.former_keys, row.key], "mismatch": "", "since": None}
        self.filter(pk=1).update(**changes, is_published_kept=False)


class Installation(models.Model):
    """One row. `key` is also in the published folder; `former_keys` are those that `adopt_published` replaced."""

    key = models.CharField(max_length=32, default=new_key, editable=False)
    former_keys = models.JSONField(default=list)
    mismatch = models.CharField(max_length=20, choices=Mismatch, blank=True)
    since = models.DateTimeField(null=True, blank=True)
    is_published_kept = models.BooleanField(default=False)

    objects = InstallationQuerySet.as_manager()

    def __str__(self) -> str:
        return self.reason or "matches the published files"

    @property
    def reason(self) -> str:
        """Return why nothing is published, in one line; empty if the database belongs to the published files."""
        if not self.mismatch:
            return ""
        reason = f"Nothing is published: {Mismatch(self.mismatch).label}."
        if self.is_published_kept:
            return f"{reason} An operator kept the published files."
        return f"{reason} Nothing is sent either. Decide with: bin/manage adopt_published --keep database|published"
