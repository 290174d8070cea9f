"""Actions on API tokens. Each is one transaction that includes an audit log entry without the secret."""

import secrets
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from incidents import clock
from incidents.actor import Actor
from incidents.models import Page
from statuspage.accounts.audit import note
from statuspage.accounts.models import ApiToken, Scope, User

MARK = "candor_"
PREFIX_LENGTH = len(MARK) + 4


@transaction.atomic
def create(
    page: Page, *, name: str, scopes: Collection[str], actor: Actor, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Create a token. Return it with its secret (258 random bits), which is not stored.

    ValidationError fields: name, scopes, expires_at.
    """
    _check(name.strip(), scopes, expires_at)
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        page=page,
        name=name.strip(),
        prefix=secret[:PREFIX_LENGTH],
        digest=digest_of(secret),
        scopes=[scope.value for scope in Scope if scope in scopes],
        expires_at=expires_at,
        created_by=User.objects.filter(pk=actor.ref).first() if actor.kind == "user" else None,
    )
    _note(token, "token.made", actor)
    return token, secret


@transaction.atomic
def revoke(token: ApiToken, *, actor: Actor) -> None:
    """Make the token unusable. Does nothing if it is already revoked."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=clock.now()):
        _note(token, "token.revoked", actor)


def usable_token(secret: str) -> ApiToken | None:
    """Return the usable token with this secret, if any, and record the time of use."""
    token = ApiToken.objects.by_digest(digest_of(secret))
    if token is None or not token.is_usable:
        return None
    now = clock.now()
    due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - ApiToken.LAST_USED_EVERY)
    if token.last_used_at is None or token.last_used_at <= now - ApiToken.LAST_USED_EVERY:
        ApiToken.objects.filter(due, pk=token.pk).update(last_used_at=now)
    return token


def digest_of(secret: str) -> str:
    """Return the SHA-256 of the secret. A fast hash is safe because 258 random bits cannot be guessed."""
    return sha256(secret.encode(errors="replace")).hexdigest()


def _check(name: str, scopes: Collection[str], expires_at: datetime | None) -> None:
    errors: dict[str, str] = {}
    if not name or len(name) > 100 or not name.isprintable():
        errors["name"] = "Enter a name of at most 100 characters, on one line."
    if not scopes:
        errors["scopes"] = "Choose at least one scope."
    elif unknown := sorted(set(scopes) - set(Scope.values)):
        errors["scopes"] = f"“{unknown[0]}” is not a scope. Use one of: {', '.join(Scope.values)}."
    if expires_at and expires_at <= clock.now():
        errors["expires_at"] = "Enter a time in the future."
    if errors:
        raise ValidationError(errors)


def _note(token: ApiToken, verb: str, actor: Actor) -> None:
    details = {
        "name": token.name,
        "scopes": token.scopes,
        "expires_at": token.expires_at and token.expires_at.isoformat(),
    }
    note(token.page, verb, actor=actor, object_type="token", object_ref=token.public_id, **details)
