"""Changes to allauth's sign-in.

Sign-up is closed, links never use the Host header, sign-in attempts are limited, and the audit log records them.
"""

import secrets
from hashlib import sha256
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from statuspage.accounts import sign_in_audit
from statuspage.accounts.models import User
from statuspage.accounts.ratelimit import allow, refund, retry_after
from statuspage.accounts.sessions import current_digest, describe
from statuspage.accounts.user_actions import set_own_password
from statuspage.common.client_ip import client_address, client_network
from statuspage.common.signing import BadToken, sign, verify

WINDOW_SECONDS = 5 * 60
# The network has a limit of its own, so that attempts from elsewhere cannot lock an owner out of the console.
ATTEMPTS_FROM_ONE_NETWORK = 10
ATTEMPTS_FROM_ANYWHERE = 300
# From one network for all accounts. One core hashes about 700 passwords in this time.
ATTEMPTS_OF_ONE_NETWORK = 60
# A browser in which the person signed in before has only its own limit. Others who share its address (an office, or a
# proxy that TRUSTED_PROXIES does not count) cannot lock it out.
DEVICE_COOKIE = f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}candor_device"
DEVICE_COOKIE_AGE = 180 * 24 * 3600
DEVICE = "signin.device"


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
        """Return the key of allauth's rate limits: all addresses of an IPv6 network are one client."""
        return client_network(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        limits = _attempt_limits(request, credentials)
        if not all(allow(key, limit, WINDOW_SECONDS) for key, limit in limits):
            self._record_failure(request, credentials, blocked=True)
            minutes = -(-retry_after(WINDOW_SECONDS) // 60)
            raise ValidationError(f"Too many attempts. Try again in {minutes} minute{'s' if minutes > 1 else ''}.")

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Do not count successful sign-ins as attempts."""
        user = super().authenticate(request, **credentials)
        if user:
            for key, _ in _attempt_limits(request, credentials):
                refund(key, WINDOW_SECONDS)
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        self._record_failure(request, credentials, blocked=False)

    def _record_failure(self, request: HttpRequest, credentials: dict[str, Any], *, blocked: bool) -> None:
        key = f"{_account_of(credentials)}:{client_network(request)}"
        email = str(credentials.get("email", ""))
        sign_in_audit.record_failure(request, email, key, blocked=blocked, window=WINDOW_SECONDS)

    def reauthenticate(self, user: User, password: str) -> bool:
        return bool(self.authenticate(context.request, email=user.email, password=password) == user)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **kwargs)
        describe(request)
        sign_in_audit.record_sign_in(request, user)
        response.set_cookie(
            DEVICE_COOKIE,
            sign(DEVICE, f"{_account_of({'email': user.email})}-{secrets.token_hex(8)}"),
            max_age=DEVICE_COOKIE_AGE,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return response

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            sign_in_audit.record_sign_out(request, request.user)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        """Store a password that the person chose in a form, and end their other sessions."""
        request = context.request
        keep = current_digest(request) if request.user == user else ""
        page = sign_in_audit.page_of(request)
        set_own_password(page, user, password, keep=keep, address=client_address(request))

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
    account = _account_of(credentials)
    if device := _known_device(request, account):
        return [(f"login:device:{device}", ATTEMPTS_FROM_ONE_NETWORK)]
    network = client_network(request)
    return [
        (f"login:{account}:{network}", ATTEMPTS_FROM_ONE_NETWORK),
        (f"login:{account}", ATTEMPTS_FROM_ANYWHERE),
        (f"login:network:{network}", ATTEMPTS_OF_ONE_NETWORK),
    ]


def _account_of(credentials: dict[str, Any]) -> str:
    return sha256(str(credentials.get("email", "")).lower().encode()).hexdigest()[:32]


def _known_device(request: HttpRequest, account: str) -> str:
    """Return the id of the browser if somebody signed in to this account with it, else an empty string."""
    try:
        value = verify(DEVICE, request.COOKIES.get(DEVICE_COOKIE, "")).value
    except BadToken:
        return ""
    return value if value.startswith(f"{account}-") else ""
