"""What the models of the domain share."""

import secrets

PUBLIC_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def new_key() -> str:
    """Return a random key: 32 hex digits, 128 bits. Identifiers that other systems keep are derived from it.

    Unlike a primary key it is never used again, also not after a backup is restored.
    """
    return secrets.token_hex(16)


def new_public_id() -> str:
    """A random public id: 12 characters of [a-z0-9], 62 bits (contract section 1.3)."""
    return "".join(secrets.choice(PUBLIC_ID_ALPHABET) for _ in range(12))
