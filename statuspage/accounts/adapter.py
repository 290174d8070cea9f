"""Where Candor's sign-in differs from allauth's: nobody signs up, links never follow the Host header, and guessing is
counted per person and network."""

from hashlib import sha256
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from statuspage.accounts.ratelimit import allow, refund, retry_after
from statuspage.common.client_ip import client_address, client_network

WINDOW_SECONDS = 5 * 60
# Counted per network too, so that nobody can lock an owner out of the console from elsewhere.
ATTEMPTS_FROM_ONE_NETWORK = 10
ATTEMPTS_FROM_ANYWHERE = 300


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "enter_current_password": "This is not your present password.",
        "invalid_password_reset": "This link has been used, or is too old.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made by an owner."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not all(allow(key, limit, WINDOW_SECONDS) for key, limit in _guesses(request, credentials)):
            minutes = -(-retry_after(WINDOW_SECONDS) // 60)
            raise ValidationError(f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}.")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Whoever knows the password was not guessing."""
        user = super().authenticate(request, **credentials)
        if user:
            for key, _ in _guesses(request, credentials):
                refund(key, WINDOW_SECONDS)
        return user

    def get_reset_password_from_key_url(self, key: str) -> str:
        path: str = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{settings.SITE_URL}{path.replace('UID-KEY', key)}"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)  # type: ignore[no-any-return]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth sends nothing by itself: account emails are requested, and `notifications` delivers them."""
        raise NotImplementedError(template_prefix)


def _guesses(request: HttpRequest, credentials: dict[str, Any]) -> list[tuple[str, int]]:
    """What a sign-in is counted as, and how often that is allowed."""
    who = sha256(str(credentials.get("email", "")).lower().encode()).hexdigest()[:32]
    here = (f"login:{who}:{client_network(request)}", ATTEMPTS_FROM_ONE_NETWORK)
    return [here, (f"login:{who}", ATTEMPTS_FROM_ANYWHERE)]
