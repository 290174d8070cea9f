"""Times by the clock of the database, so that workers on several machines agree on what is due."""

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(delta: timedelta) -> Any:
    """Return an SQL expression for now plus `delta`, by the clock of the database."""
    return ExpressionWrapper(Now() + Value(delta), output_field=DateTimeField())
