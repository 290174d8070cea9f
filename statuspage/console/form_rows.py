"""Rows of a form that its author can have more of, without JavaScript."""

from collections.abc import Mapping
from typing import Any


def with_value(data: Any, name: str, value: object) -> Any:
    return with_values(data, {name: value})


def with_values(data: Any, values: Mapping[str, object]) -> Any:
    """One copy for all of them: of a long form it takes a while."""
    changed = data.copy()
    for name, value in values.items():
        changed[name] = str(value)
    return changed


def count_of(data: Any, prefix: str) -> int:
    """How many rows were sent; 0 for a forged number."""
    sent = data.get(f"{prefix}-TOTAL_FORMS", "")
    return int(sent) if sent.isdecimal() and len(sent) < 4 else 0


def with_more_rows(data: Any, prefix: str, more: int, most: int) -> Any:
    return with_value(data, f"{prefix}-TOTAL_FORMS", min(count_of(data, prefix) + more, most))
