"""Convert rows to plain JSON values and back, column by column.

A new column of a model is exported without further changes. INTERNAL names the columns that are not exported.
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

# Primary keys of this database, and the keys of open forms.
INTERNAL = {"id", "submission_key"}


@cache
def columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the names of the exported columns of `model`: all but INTERNAL and relations."""
    fields = (field for field in model._meta.concrete_fields if not field.is_relation)
    return tuple(field.name for field in fields if field.name not in INTERNAL)


def written(row: models.Model) -> dict[str, Any]:
    return {name: plain(getattr(row, name)) for name in columns(type(row))}


def plain(value: Any) -> Any:
    """Return `value` for JSON. Times are in UTC with six decimals, so that they keep their precision."""
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
    """Return the columns of `model` as Python values.

    Raise ValidationError for a bad value and KeyError for a missing one. A column with a default can be missing,
    because it can be newer than the export.
    """
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in columns(model)}
    return {name: _value(field, raw[name]) for name, field in fields.items() if name in raw or not _is_optional(field)}


def _is_optional(field: Any) -> bool:
    return bool(field.name != "public_id" and (field.has_default() or field.null or field.blank))


def _value(field: Any, raw: Any) -> Any:
    value = field.to_python(raw)
    if value is None and not field.null:
        raise ValidationError(f"its {field.name} is null")
    if isinstance(field, models.JSONField) and type(value) is not type(field.get_default()):
        raise ValidationError(f"its {field.name} has the wrong type")
    if isinstance(value, str) and field.max_length and len(value) > field.max_length:
        raise ValidationError(f"its {field.name} is longer than {field.max_length} characters")
    if field.choices and value not in dict(field.flatchoices) and (value or not field.blank):
        raise ValidationError(f"its {field.name} “{value}” is not valid")
    if isinstance(value, datetime) and not 1900 < value.year < 9000:
        raise ValidationError(f"its {field.name} must be between the years 1901 and 8999")
    if isinstance(field, models.URLField):
        field.run_validators(value)
    # Pages show it without escaping, and anyone may have written the file.
    return markdown.clean(value) if field.name.endswith("_html") else value
