"""The session backend (SESSION_ENGINE). The database contains only the SHA-256 of a session's key.

The key itself is in the cookie only, so a copy of the database does not let its reader take over a session. A fast hash
is safe because the key has 165 random bits.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.db import IntegrityError, transaction
from django.utils import timezone

from statuspage.accounts.models import StaffSession

# A session ends this long after sign-in, however much it is used, or after this long without use.
LIFETIME = timedelta(seconds=settings.SESSION_COOKIE_AGE)
UNUSED = timedelta(days=7)


def digest_of(key: str) -> str:
    return sha256(key.encode()).hexdigest()


class SessionStore(db.SessionStore):
    """`row` is the stored session after it was read."""

    row: StaffSession | None = None

    @classmethod
    def get_model_class(cls) -> type[StaffSession]:
        return StaffSession

    @property
    def digest(self) -> str:
        return digest_of(self.session_key) if self.session_key else ""

    def load(self) -> dict[str, Any]:
        now = timezone.now()
        self.row = StaffSession.objects.filter(
            session_key=self.digest,
            expire_date__gt=now,
            created_at__gt=now - LIFETIME,
            last_used_at__gt=now - UNUSED,
        ).first()
        if self.row is None:
            self._session_key = None
            return {}
        return self.decode(self.row.session_data)

    def exists(self, session_key: str) -> bool:
        return StaffSession.objects.filter(session_key=digest_of(session_key)).exists()

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # not in the stubs
        columns = {
            "session_data": self.encode(data),
            "expire_date": self.get_expiry_date(),
            "user_id": data.get(SESSION_KEY),
        }
        if not must_create:
            if not StaffSession.objects.filter(session_key=self.digest).update(**columns):
                raise UpdateError
            return
        try:
            with transaction.atomic():
                StaffSession.objects.create(session_key=self.digest, **columns)
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            StaffSession.objects.filter(session_key=digest_of(key)).delete()

    def cycle_key(self) -> None:
        """Keep the address and the device: a person who changes the password stays where they are."""
        before = StaffSession.objects.filter(session_key=self.digest).values("address", "device").first()
        super().cycle_key()
        if before:
            StaffSession.objects.filter(session_key=self.digest).update(**before)
