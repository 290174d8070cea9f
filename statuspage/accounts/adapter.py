"""Changes to allauth's sign-in.

Sign-up is closed, links never use the Host header, and sign-in attempts are limited per account and network.
"""

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
# The network has a limit of its own, so that attempts from elsewhere cannot lock an owner out of the console.
ATTEMPTS_FROM_ONE_NETWORK = 10
ATTEMPTS_FROM_ANYWHERE = 300


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The email address or password is incorrect.",
        "enter_current_password": "This is not your current password.",
        "invalid_password_reset": "This link was already used or has expired.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Only owners can create accounts."""
        return False

    def is_ajax(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        if not all(allow(key, limit, WINDOW_SECONDS) for key, limit in _attempt_limits(request, credentials)):
            minutes = -(-retry_after(WINDOW_SECONDS) // 60)
            raise ValidationError(f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}.")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Do not count successful sign-ins as attempts."""
        user = super().authenticate(request, **credentials)
        if user:
            for key, _ in _attempt_limits(request, credentials):
                refund(key, WINDOW_SECONDS)
        return user

    def get_reset_password_from_key_url(self, key: str) -> str:
        path: str = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{settings.SITE_URL}{path.replace('UID-KEY', key)}"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)  # type: ignore[no-any-return]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """allauth must not send email itself: account emails are requested, and `notifications` delivers them."""
        raise NotImplementedError(template_prefix)


def _attempt_limits(request: HttpRequest, credentials: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the rate limit keys of a sign-in attempt, each with its limit."""
    account = sha256(str(credentials.get("email", "")).lower().encode()).hexdigest()[:32]
    from_network = (f"login:{account}:{client_network(request)}", ATTEMPTS_FROM_ONE_NETWORK)
    return [from_network, (f"login:{account}", ATTEMPTS_FROM_ANYWHERE)]
