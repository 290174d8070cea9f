"""What the models of the domain share."""

import secrets

PUBLIC_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_public_id() -> str:
    """A random public id: 12 characters of [a-z0-9], 62 bits (contract section 1.3)."""
    return "".join(secrets.choice(PUBLIC_ID_ALPHABET) for _ in range(12))
