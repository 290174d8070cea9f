"""Add rows to a formset without JavaScript."""

from collections.abc import Mapping
from typing import Any


def with_value(data: Any, name: str, value: object) -> Any:
    return with_values(data, {name: value})


def with_values(data: Any, values: Mapping[str, object]) -> Any:
    """Return a copy of the data with these values. Copying a long form is slow, so it is done once."""
    changed = data.copy()
    for name, value in values.items():
        changed[name] = str(value)
    return changed


def count_of(data: Any, prefix: str) -> int:
    """Return the number of submitted rows; 0 if it is invalid."""
    sent = data.get(f"{prefix}-TOTAL_FORMS", "")
    return int(sent) if sent.isdecimal() and len(sent) < 4 else 0


def with_more_rows(data: Any, prefix: str, more: int, most: int) -> Any:
    return with_value(data, f"{prefix}-TOTAL_FORMS", min(count_of(data, prefix) + more, most))
