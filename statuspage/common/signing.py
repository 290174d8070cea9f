"""The one door for signed links and for ids that nobody can guess. A token carries a public id, never personal data."""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

_NUMBER_BYTES, _TAG_BYTES = 5, 10


class BadToken(Exception):
    """Not made here, or made for another purpose."""


class ExpiredToken(BadToken):
    """Made here, too long ago."""


@dataclass(frozen=True)
class Opened:
    """What a token says. `made_at` is to the second, rounded down."""

    value: str
    made_at: datetime


def seal(purpose: str, value: str) -> str:
    """A token for URLs. It opens for the same `purpose` only."""
    return _signer(purpose).sign(value)


def open_token(purpose: str, token: str, *, max_age: timedelta | None = None) -> Opened:
    """BadToken if it was not sealed for `purpose`, ExpiredToken if that was more than `max_age` ago."""
    signer = _signer(purpose)
    try:
        value = signer.unsign(token, max_age=max_age)
    except signing.SignatureExpired as error:
        raise ExpiredToken from error
    except signing.BadSignature as error:
        raise BadToken from error
    stamp = token.rsplit(".", 2)[1]
    return Opened(value, datetime.fromtimestamp(signing.b62_decode(stamp), tz=UTC))


def stable_id(purpose: str, *parts: object) -> str:
    """32 hex digits, always the same for the same parts, and not to be guessed without the secret key."""
    return salted_hmac(f"candor.{purpose}", "/".join(map(str, parts)), algorithm="sha256").hexdigest()[:32]


def seal_number(purpose: str, number: int) -> str:
    """24 characters of [a-z2-7] that say `number` (0 to 2**40 - 1) to us alone: for mail addresses, whose case some
    servers fold. Always the same for the same number. Encrypted under its own 80-bit tag (as SIV does, RFC 5297)."""
    key = _key(purpose, settings.SECRET_KEY)
    tag = _tag(key, number)
    return base64.b32encode((number ^ _mask(key, tag)).to_bytes(_NUMBER_BYTES, "big") + tag).decode().lower()


def open_number(purpose: str, token: str) -> int:
    """BadToken if it was not sealed for `purpose`. Upper and lower case are the same."""
    try:
        sealed = base64.b32decode(token, casefold=True)
    except (binascii.Error, ValueError) as error:
        raise BadToken from error
    key, tag = _key(purpose, settings.SECRET_KEY), sealed[_NUMBER_BYTES:]
    number = int.from_bytes(sealed[:_NUMBER_BYTES], "big") ^ _mask(key, tag)
    if not hmac.compare_digest(tag, _tag(key, number)):
        raise BadToken
    return number


def _tag(key: bytes, number: int) -> bytes:
    return hmac.digest(key, b"tag" + number.to_bytes(_NUMBER_BYTES, "big"), "sha256")[:_TAG_BYTES]


def _mask(key: bytes, tag: bytes) -> int:
    return int.from_bytes(hmac.digest(key, b"mask" + tag, "sha256")[:_NUMBER_BYTES], "big")


@lru_cache(maxsize=16)
def _key(purpose: str, secret: str) -> bytes:
    """Kept: deriving it costs more than all the rest, and every mail of a fan-out has its number sealed."""
    return salted_hmac(f"candor.{purpose}", "number", secret=secret, algorithm="sha256").digest()


def _signer(purpose: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"candor.{purpose}", sep=".")
