"""SQL that Django does not write: rows without signals and checks, and `pk__among=ids`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import BigAutoField, Lookup, Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


@BigAutoField.register_lookup
class Among(Lookup):
    """`pk__among=ids`: like `pk__in`, with all ids in one parameter.

    With one parameter for each id, composing the statement takes longer than running it.
    """

    lookup_name = "among"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", [*params, self.rhs]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        column, params = self.process_lhs(compiler, connection)
        # The column's name comes from the model.
        return f"{column} IN (SELECT value FROM json_each(%s))", [*params, json.dumps(self.rhs)]  # noqa: S608


def columns(model: type[Model], *, without: set[str]) -> tuple[str, ...]:
    """The columns that `loaded` wants. Reading one of those left out costs a query, as after `defer()`."""
    return tuple(field.attname for field in model._meta.concrete_fields if field.name not in without)


def loaded(model: type[M], names: Sequence[str], values: Sequence[Any], **related: Model | None) -> M:
    """A row as `model.from_db` would give it. `related`: the objects that its foreign keys lead to."""
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, "default"
    row._state.fields_cache.update(related)
    row.__dict__.update(zip(names, values, strict=True))
    return row
