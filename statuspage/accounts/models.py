from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import get_random_string

from incidents.actor import Actor


class Role(models.TextChoices):
    """From least to most: a role may do all that the ones before it may."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    OWNER = "owner", "Owner"


def generated_password() -> str:
    """79 bits, in letters and digits that nobody confuses when reading them out."""
    return get_random_string(16, "abcdefghjkmnpqrstuvwxyz23456789")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, *, password: str, role: str, name: str = "") -> User:
        user = self.model(email=self.normalize_email(email).lower(), role=role, name=name)
        user.set_password(password)
        user.save()
        return user

    def in_order(self) -> models.QuerySet[User]:
        """Who may sign in first, then by address."""
        return self.order_by("-is_active", "email")

    def create_first_owner(self, email: str) -> tuple[User, str]:
        """The owner that set-up makes, and the generated password, which is kept nowhere else."""
        password = generated_password()
        return self.create_user(email, password=password, role=Role.OWNER, name="Owner"), password


class User(AbstractBaseUser):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.name or self.email

    def has_role(self, role: Role) -> bool:
        ladder = list(Role)
        return ladder.index(Role(self.role)) >= ladder.index(role)

    @property
    def actor(self) -> Actor:
        return Actor("user", str(self.pk), str(self))


class RateCount(models.Model):
    """How often `key` was used in the window that began at `window` (Unix seconds). Written by `ratelimit.py` alone."""

    key = models.CharField(max_length=120)
    window = models.BigIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window"], name="ratecount_once_per_window")]
