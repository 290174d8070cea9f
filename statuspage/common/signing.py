"""The one door for signed links and for ids that nobody can guess. A token carries a public id, never personal data."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import signing
from django.utils.crypto import salted_hmac


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


def _signer(purpose: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"candor.{purpose}", sep=".")
