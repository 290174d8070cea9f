"""The choice of a content coding by Accept-Encoding (RFC 9110 section 12.5.3)."""

from __future__ import annotations

# A longer value is not parsed and not remembered. Browsers send fewer than 40 characters.
LONGEST = 256
REMEMBERED = 1000

_known: dict[bytes, str] = {}


def best_coding(accepted: bytes) -> str:
    """Return the best coding that `accepted` allows, remembered because browsers send the same few values."""
    known = _known.get(accepted)
    if known is None:
        if len(accepted) > LONGEST:
            return "identity"
        if len(_known) >= REMEMBERED:
            _known.clear()
        known = _known[accepted] = _best(accepted.decode("latin-1"))
    return known


def _best(accepted: str) -> str:
    """A coding with q=0 is not acceptable."""
    weights = {}
    for part in accepted.lower().split(","):
        coding, _, parameters = part.strip().partition(";")
        weights[coding.strip()] = parameters.replace(" ", "")
    for coding in ("br", "gzip"):
        if coding in weights and weights[coding] not in ("q=0", "q=0.0", "q=0.00", "q=0.000"):
            return coding
    return "identity"
