"""Model instances from bare rows, without the signals and checks that cost more than the row itself."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model
from django.db.models.base import ModelState

M = TypeVar("M", bound=Model)


def columns(model: type[Model], *, without: set[str]) -> tuple[str, ...]:
    """The columns that `loaded` wants. Reading one of those left out costs a query, as after `defer()`."""
    return tuple(field.attname for field in model._meta.concrete_fields if field.name not in without)


def loaded(model: type[M], names: Sequence[str], values: Sequence[Any], **related: Model) -> M:
    """A row as `model.from_db` would give it. `related`: the objects that its foreign keys lead to."""
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, "default"
    row._state.fields_cache.update(related)
    row.__dict__.update(zip(names, values, strict=True))
    return row
