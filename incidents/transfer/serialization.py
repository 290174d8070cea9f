"""Rows as plain JSON and back, column by column: what an export writes and an import of it reads.

A new column of a model is written at once; what has no place in an export is named here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.duration import duration_string

from incidents.text import markdown

# Keys of this database, and of forms that were open.
INTERNAL = {"id", "submission_key"}


@cache
def columns(model: type[models.Model]) -> tuple[str, ...]:
    """The names of what a row says of itself: no keys, and nothing about other rows."""
    fields = (field for field in model._meta.concrete_fields if not field.is_relation)
    return tuple(field.name for field in fields if field.name not in INTERNAL)


def written(row: models.Model) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in columns(type(row))}


def plain(value: Any) -> Any:
    """Times in UTC with six decimals, so that no moment changes on the way; bytes in base64."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration_string(value)
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode()
    return str(value) if isinstance(value, Decimal) else value


def read(model: type[models.Model], raw: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of `model` as Python values. ValidationError for what does not fit, KeyError for what is missing.

    A column that is younger than the export may be missing if it has a default.
    """
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in columns(model)}
    told = {name: field for name, field in fields.items() if name in raw or not _may_lack(field)}
    return {name: _value(field, raw[name]) for name, field in told.items()}


def _may_lack(field: Any) -> bool:
    return bool(field.name != "public_id" and (field.has_default() or field.null or field.blank))


def _value(field: Any, raw: Any) -> Any:
    value = field.to_python(raw)
    if value is None and not field.null:
        raise ValidationError(f"its {field.name} is null")
    if isinstance(field, models.JSONField) and type(value) is not type(field.get_default()):
        raise ValidationError(f"its {field.name} is of another kind")
    if isinstance(value, str) and field.max_length and len(value) > field.max_length:
        raise ValidationError(f"its {field.name} is longer than {field.max_length} characters")
    if field.choices and value not in dict(field.flatchoices) and (value or not field.blank):
        raise ValidationError(f"its {field.name} “{value}” is unknown")
    if isinstance(value, datetime) and not 1900 < value.year < 9000:
        raise ValidationError(f"its {field.name} is too near to an end of the calendar")
    if isinstance(field, models.URLField):
        field.run_validators(value)
    # Pages show it as it is, and anybody may have written the file.
    return markdown.clean(value) if field.name.endswith("_html") else value
