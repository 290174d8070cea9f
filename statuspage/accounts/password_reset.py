"""Password resets: the accounts of an address, and the reset link."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import filter_users_by_email, user_pk_to_url_str

from statuspage.accounts.models import User
from statuspage.common.email_addresses import normalize_email


def users_with_address(address: str) -> list[User]:
    """Return the active accounts with this address."""
    return list(filter_users_by_email(normalize_email(address), is_active=True, prefer_verified=True))


def password_reset_url(user: User) -> str:
    """Return a new link to set a password. It works once, for PASSWORD_RESET_TIMEOUT seconds."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    url: str = get_adapter().get_reset_password_from_key_url(key)
    return url
