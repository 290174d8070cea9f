"""The ledger's clock is the database's: workers on machines whose clocks differ still agree on what is due."""

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Now


def from_now(delta: timedelta) -> Any:
    """An SQL expression: `delta` from now (before now if negative), by the database's clock."""
    return ExpressionWrapper(Now() + Value(delta), output_field=DateTimeField())
