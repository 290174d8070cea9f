"""Signed links and unguessable ids. The only module that signs. A token contains a public id, never personal data."""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from django.conf import settings
from django.core import signing
from django.utils.encoding import force_bytes, force_str

_NUMBER_BYTES, _TAG_BYTES = 5, 10


class BadToken(Exception):
    """Not signed here, or signed for another purpose."""


class ExpiredToken(BadToken):
    """Signed here, but too long ago."""


@dataclass(frozen=True)
class VerifiedToken:
    """The contents of a token. `made_at` is rounded down to the second."""

    value: str
    made_at: datetime


def sign(purpose: str, value: str) -> str:
    """Return a token for URLs, valid for the same `purpose` only."""
    return _signer(purpose, settings.SECRET_KEY).sign(value)


def verify(purpose: str, token: str, *, max_age: timedelta | None = None) -> VerifiedToken:
    """BadToken if it was not signed for `purpose`, ExpiredToken if that was more than `max_age` ago."""
    signer = _signer(purpose, settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))
    try:
        value = signer.unsign(token, max_age=max_age)
    except signing.SignatureExpired as error:
        raise ExpiredToken from error
    except signing.BadSignature as error:
        raise BadToken from error
    timestamp = token.rsplit(".", 2)[1]
    return VerifiedToken(value, datetime.fromtimestamp(signing.b62_decode(timestamp), tz=UTC))


class CachingSigner(signing.TimestampSigner):
    """Makes the signatures of TimestampSigner in half the time: it derives each key only once."""

    def signature(self, value: str | bytes, key: str | bytes | None = None) -> str:
        salted_key = _salted_key(f"{force_str(self.salt)}signer", force_str(key or self.key))
        return signing.b64_encode(_hmac(salted_key, force_bytes(value))).decode()


@lru_cache(maxsize=16)
def _signer(purpose: str, key: str, fallback_keys: tuple[str, ...] = ()) -> CachingSigner:
    return CachingSigner(key=key, fallback_keys=list(fallback_keys), salt=f"candor.{purpose}", sep=".")


def stable_id(purpose: str, *parts: object) -> str:
    """Return 32 hex digits: the same for the same parts, and unguessable without the secret key."""
    mac = _keyed_hmac(_salted_key(f"candor.{purpose}", settings.SECRET_KEY)).copy()
    mac.update("/".join(map(str, parts)).encode())
    return mac.hexdigest()[:32]


def derived_id(purpose: str, *parts: object) -> str:
    """Return 32 hex digits: the same for the same parts, whatever the secret key. Unguessable if one part is."""
    return sha256("/".join(map(str, (purpose, *parts))).encode()).hexdigest()[:32]


def sign_number(purpose: str, number: int, *, about: str = "") -> str:
    """Return 24 characters of [a-z2-7] that only we can decode to `number` (0 to 2**40 - 1): for mail addresses, which
    some servers convert to lower case. Always the same for the same number and `about`, which identifies what has that
    number: after a restored backup, the number can belong to something else.

    Encrypted under its own 80-bit tag, as in SIV (RFC 5297). A Django signature does not fit into a mailbox name.
    """
    key = _number_key(purpose, settings.SECRET_KEY)
    tag = _tag(key, number, about)
    return base64.b32encode((number ^ _mask(key, tag)).to_bytes(_NUMBER_BYTES, "big") + tag).decode().lower()


def verify_number(purpose: str, token: str, *, about: Callable[[int], str] = lambda _number: "") -> int:
    """Return the number. Ignores case. BadToken if it was not signed for `purpose` and for `about(number)`."""
    try:
        raw = base64.b32decode(token, casefold=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken from error
    tag = raw[_NUMBER_BYTES:]
    for secret_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key = _number_key(purpose, secret_key)
        number = int.from_bytes(raw[:_NUMBER_BYTES], "big") ^ _mask(key, tag)
        if hmac.compare_digest(tag, _tag(key, number, about(number))):
            return number
    raise BadToken


def _tag(key: bytes, number: int, about: str) -> bytes:
    return _hmac(key, b"tag" + number.to_bytes(_NUMBER_BYTES, "big") + about.encode())[:_TAG_BYTES]


def _mask(key: bytes, tag: bytes) -> int:
    return int.from_bytes(_hmac(key, b"mask" + tag)[:_NUMBER_BYTES], "big")


def _hmac(key: bytes, message: bytes) -> bytes:
    """Not hmac.digest(), which releases the interpreter's lock: each call then waits for the other busy threads."""
    mac = _keyed_hmac(key).copy()
    mac.update(message)
    return mac.digest()


@lru_cache(maxsize=32)
def _keyed_hmac(key: bytes) -> hmac.HMAC:
    """Cached, because every email of a large mailing needs it. Copy it before use."""
    return hmac.new(key, digestmod="sha256")


@lru_cache(maxsize=32)
def _salted_key(salt: str, secret_key: str) -> bytes:
    """Return the key that django.utils.crypto.salted_hmac derives."""
    return sha256((salt + secret_key).encode()).digest()


@lru_cache(maxsize=16)
def _number_key(purpose: str, secret_key: str) -> bytes:
    return _hmac(_salted_key(f"candor.{purpose}", secret_key), b"number")
