"""The one door for signed links and for ids that nobody can guess. A token carries a public id, never personal data."""

import base64
import binascii
import hashlib
import hmac
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core import signing

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
    """A token for URLs. It opens for the same `purpose` only.

    The same as `TimestampSigner.sign` makes, in less than half its time: each mail carries two.
    """
    stamped = f"{value}.{_stamp(int(time.time()))}"
    # Signer puts its salt and this word together (django.core.signing.Signer.signature).
    return f"{stamped}.{signing.b64_encode(_mac(f'candor.{purpose}signer', stamped)).decode()}"


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
    return _mac(f"candor.{purpose}", "/".join(map(str, parts))).hex()[:32]


_stamp = lru_cache(maxsize=2)(signing.b62_encode)


def _mac(salt: str, value: str) -> bytes:
    """What django.utils.crypto.salted_hmac makes, without deriving the key each time."""
    return _hmac(_derived(salt, settings.SECRET_KEY), value.encode())


@lru_cache(maxsize=32)
def _derived(salt: str, secret: str) -> bytes:
    return hashlib.sha256((salt + secret).encode()).digest()


def _hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104) for a key of at most 64 octets.

    Not by hmac.digest: that lets go of the interpreter's lock, and every other thread of a busy sender grabs it.
    """
    inner, outer = (half.copy() for half in _keyed_halves(key))
    inner.update(message)
    outer.update(inner.digest())
    mac: bytes = outer.digest()
    return mac


@lru_cache(maxsize=32)
def _keyed_halves(key: bytes) -> tuple[Any, Any]:
    block = key.ljust(64, b"\0")
    return hashlib.sha256(bytes(octet ^ 0x36 for octet in block)), hashlib.sha256(
        bytes(octet ^ 0x5C for octet in block)
    )


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
    return _hmac(key, b"tag" + number.to_bytes(_NUMBER_BYTES, "big"))[:_TAG_BYTES]


def _mask(key: bytes, tag: bytes) -> int:
    return int.from_bytes(_hmac(key, b"mask" + tag)[:_NUMBER_BYTES], "big")


@lru_cache(maxsize=16)
def _key(purpose: str, _secret: str) -> bytes:
    """Kept (for the secret it was made with): every mail of a fan-out has its number sealed."""
    return _mac(f"candor.{purpose}", "number")


def _signer(purpose: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"candor.{purpose}", sep=".")
