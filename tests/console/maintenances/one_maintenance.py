"""The times and URLs of the maintenance in conftest.py."""

from datetime import UTC, datetime, timedelta

from incidents.models import Incident

NOW = datetime(2026, 10, 21, 10, 0, tzinfo=UTC)
START = datetime(2026, 10, 24, 0, 0, tzinfo=UTC)
END = START + timedelta(hours=2)


def url_of(maintenance: Incident) -> str:
    return f"/console/p/acme/incidents/{maintenance.public_id}"


def step_url(maintenance: Incident, step: str) -> str:
    return f"/console/p/acme/maintenances/{maintenance.public_id}/{step}"
