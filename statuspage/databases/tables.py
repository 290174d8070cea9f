"""The tables of all models: their order, their rows as Python values, checksums and sequences."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from graphlib import TopologicalSorter
from hashlib import blake2b
from itertools import islice
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.models import AutoField, Field, Model

ROWS_AT_ONCE = 1_000
# SQLite accepts at most 32,766 parameters in a statement.
PARAMETERS_AT_ONCE = 30_000


@dataclass(frozen=True)
class Checksum:
    """The number of rows and a hash that does not depend on their order, because databases sort texts differently."""

    rows: int = 0
    digest: int = 0

    def plus(self, row: tuple[Any, ...]) -> Checksum:
        digest = blake2b(repr(tuple(map(_comparable, row))).encode("utf-8", "surrogatepass"), digest_size=16)
        return Checksum(self.rows + 1, (self.digest + int.from_bytes(digest.digest())) % 2**128)


def _comparable(value: Any) -> Any:
    """Return an equal value for what SQLite and PostgreSQL return differently."""
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value.normalize())
    return bytes(value) if isinstance(value, memoryview) else value


def ordered_models() -> list[type[Model]]:
    """Return all models with a table, each after the models it refers to."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]
    graph = {model: [target for target in _targets(model) if target is not model] for model in models}
    return [model for model in TopologicalSorter(graph).static_order() if model in models]


def _targets(model: type[Model]) -> list[Any]:
    return [field.related_model for field in model._meta.concrete_fields if field.is_relation]


def fields_of(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not getattr(field, "generated", False)]


def rows_of(model: type[Model], alias: str) -> Iterator[tuple[Any, ...]]:
    names = [field.attname for field in fields_of(model)]
    return model._base_manager.using(alias).order_by().values_list(*names).iterator(chunk_size=ROWS_AT_ONCE)


def checksum(model: type[Model], alias: str) -> Checksum:
    result = Checksum()
    for row in rows_of(model, alias):
        result = result.plus(row)
    return result


def insert(model: type[Model], rows: Iterator[tuple[Any, ...]], alias: str) -> Checksum:
    """Insert `rows` in batches, with their values unchanged (`auto_now` is not applied). Return their checksum."""
    fields = fields_of(model)
    names = [field.attname for field in fields]
    result, size = Checksum(), min(ROWS_AT_ONCE, PARAMETERS_AT_ONCE // len(fields))
    while batch := list(islice(rows, size)):
        objects = [model(**dict(zip(names, row, strict=True))) for row in batch]
        model._base_manager.using(alias)._insert(objects, fields=fields, using=alias, raw=True)  # type: ignore[attr-defined]  # not in the stubs; bulk_create would change `auto_now` fields
        for row in batch:
            result = result.plus(row)
    return result


def last_id(model: type[Model], alias: str) -> int:
    """Return the last primary key that was given to a row, which may be deleted; 0 if none was."""
    if not isinstance(model._meta.pk, AutoField):
        return 0
    table, column = model._meta.db_table, model._meta.pk.column
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        else:
            cursor.execute("SELECT pg_sequence_last_value(pg_get_serial_sequence(%s, %s)::regclass)", [table, column])
        row = cursor.fetchone()
    return int(row[0] or 0) if row else 0


def set_last_id(model: type[Model], number: int, alias: str) -> None:
    """Let the next row get the primary key after `number`."""
    if not number or not model._meta.pk:
        return
    table, column = model._meta.db_table, model._meta.pk.column
    with connections[alias].cursor() as cursor:
        if connections[alias].vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, number])
        else:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, column, number])
