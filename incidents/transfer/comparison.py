"""Compare a stored row with an imported record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import models

# Some APIs report times to the second, others to the millisecond.
TOLERANCE = timedelta(seconds=1)


def is_newer_here(updated_at: datetime, imported_at: datetime | None) -> bool:
    """Return whether a row, updated here at `updated_at`, is newer than the record, written at `imported_at`."""
    return imported_at is not None and updated_at - imported_at > TOLERANCE


def differences(row: models.Model, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `fields` whose value differs in `row`. Times less than a second apart are equal."""
    return {name: value for name, value in fields.items() if not _is_equal(getattr(row, name), value)}


def without_none(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _is_equal(stored: Any, imported: Any) -> bool:
    if isinstance(stored, datetime) and isinstance(imported, datetime):
        return abs(stored - imported) < TOLERANCE
    return bool(stored == imported)
