from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import get_random_string

from incidents import clock
from incidents.actor import Actor
from incidents.models import Page
from incidents.models.base import new_public_id
from statuspage.common.email_addresses import normalize_email, readable_email


class Role(models.TextChoices):
    """In ascending order: each role has all permissions of the roles before it."""

    VIEWER = "viewer", "Viewer"
    EDITOR = "editor", "Editor"
    OWNER = "owner", "Owner"


def generated_password() -> str:
    """Return a password with 79 bits of entropy, without letters and digits that look alike."""
    return get_random_string(16, "abcdefghjkmnpqrstuvwxyz23456789")


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, *, password: str, role: str, name: str = "") -> User:
        user = self.model(email=normalize_email(email), role=role, name=name)
        user.set_password(password)
        user.save()
        return user

    def in_order(self) -> models.QuerySet[User]:
        """Active users first, then by address."""
        return self.order_by("-is_active", "email")

    def to_remind(self) -> models.QuerySet[User]:
        """Users who can edit incidents and receive reminder emails."""
        return self.filter(is_active=True, wants_reminders=True, role__in=(Role.EDITOR, Role.OWNER)).order_by("pk")

    def to_notify_of_overdue_items(self) -> models.QuerySet[User]:
        """Users who receive emails about their overdue action items. Includes viewers, who can own items."""
        return self.filter(is_active=True, wants_overdue=True).order_by("pk")

    def matching(self, text: str) -> models.QuerySet[User]:
        """Users whose name or address contains every word of `text`, in order."""
        users = self.in_order()
        for word in text.split():
            users = users.filter(models.Q(name__icontains=word) | models.Q(email__icontains=word))
        return users

    def create_first_owner(self, email: str) -> tuple[User, str]:
        """Create the first owner. Return it with the generated password, which is not stored in plain text."""
        password = generated_password()
        return self.create_user(email, password=password, role=Role.OWNER, name="Owner"), password


class User(AbstractBaseUser):
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)
    is_active = models.BooleanField(default=True)
    wants_reminders = models.BooleanField(default=True)
    wants_overdue = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    EMAIL_FIELD = "email"
    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.name or self.readable_email

    @property
    def readable_email(self) -> str:
        return readable_email(self.email)

    def has_role(self, role: Role) -> bool:
        roles = list(Role)
        return roles.index(Role(self.role)) >= roles.index(role)

    # The second person who approved what this user does now. Set on the instance, never stored.
    approver = ""

    @property
    def actor(self) -> Actor:
        return Actor("user", str(self.pk), str(self), approver=self.approver)


class StaffSession(AbstractBaseSession):
    """A browser that is signed in, or is setting a password (then without `user`).

    `session_key` is the SHA-256 of the key in the cookie. `device` is the browser's User-Agent. `last_used_at` is
    accurate to five minutes.
    """

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=45, blank=True)
    device = models.CharField(max_length=300, blank=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False


class RateCount(models.Model):
    """The uses of `key` in the window that began at `window` (Unix seconds). Only `ratelimit.py` writes it."""

    key = models.CharField(max_length=120)
    window = models.BigIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window"], name="ratecount_once_per_window")]


class AccountEmailKind(models.TextChoices):
    """The values are those of `notifications.DeliveryKind`."""

    PASSWORD_RESET = "account.password_reset", "Password reset"


class AccountEmailRequest(models.Model):
    """An email to the account with this address, if it exists. The dispatcher turns it into a delivery and deletes it.

    Contains no token: the email is rendered when it is sent.
    """

    kind = models.CharField(max_length=24, choices=AccountEmailKind)
    address = models.EmailField(max_length=320)  # as long as the form accepts; an account's is shorter
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.kind} for {self.address}"


class Scope(models.TextChoices):
    """The permissions of a token. Every scope can read all but subscribers' addresses; `admin` can do everything."""

    READ = "read", "Read"
    INCIDENTS = "incidents:write", "Write incidents, maintenances, postmortems and templates"
    COMPONENTS = "components:write", "Write components, groups and metrics"
    SUBSCRIBERS = "subscribers:write", "Read and write subscribers"
    ADMIN = "admin", "Full access, including page settings"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def by_digest(self, digest: str) -> ApiToken | None:
        return self.filter(digest=digest).select_related("page").first()

    def newest_first(self) -> ApiTokenQuerySet:
        """Tokens that are not revoked first."""
        return self.order_by(models.F("revoked_at").desc(nulls_first=True), "-pk")


class ApiToken(models.Model):
    """An API token for one page. Only its SHA-256 is stored; `prefix` is its beginning, to identify it in lists.

    `last_used_at` is accurate to LAST_USED_EVERY.
    """

    LAST_USED_EVERY = timedelta(minutes=1)

    public_id = models.CharField(max_length=12, unique=True, default=new_public_id, editable=False)
    page = models.ForeignKey(Page, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scopes: models.JSONField[list[str], list[str]] = models.JSONField(default=list)
    # None: created on the command line.
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    # As `User.approver`.
    approver = ""

    @property
    def actor(self) -> Actor:
        owner_ref = str(self.created_by_id or "")
        return Actor("token", self.public_id, self.name, owner_ref=owner_ref, approver=self.approver)

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= clock.now()

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and not self.is_expired

    @property
    def scope_labels(self) -> str:
        return ", ".join(Scope(scope).label for scope in self.scopes)

    def may(self, scope: str) -> bool:
        return scope == Scope.READ or scope in self.scopes or Scope.ADMIN in self.scopes
