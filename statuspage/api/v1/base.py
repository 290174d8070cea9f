"""The base classes of schemas, and the field types of requests. They reject values that the database cannot store."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from incidents.models.states import ComponentStatus, Impact, Status

YEARS = range(1990, 2200)


def _known_year(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"Enter a year between {YEARS.start} and {YEARS.stop - 1}.")
    return moment


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("Add a time zone. Example: 2022-09-21T14:14:00Z.")
    return _known_year(moment)


def _known_day(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"Enter a year between {YEARS.start} and {YEARS.stop - 1}.")
    return day


Moment = Annotated[datetime, AfterValidator(_zoned)]
# A time without a zone is in the page's time zone.
LooseMoment = Annotated[datetime, AfterValidator(_known_year)]
Day = Annotated[date, AfterValidator(_known_day)]
Seconds = Annotated[int, Field(ge=631152000, lt=7258118400, description="Unix time, in seconds")]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Name = Annotated[str, Field(max_length=255)]
Text = Annotated[str, Field(max_length=25_000)]
PublicIds = Annotated[list[str], Field(max_length=1000)]

ComponentStatusIn = Literal[
    "operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"
]
ComponentStatusInOrNone = Literal[
    "operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage", ""
]
StatusIn = Literal[
    "investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "verifying", "completed"
]
ImpactIn = Literal["none", "maintenance", "minor", "major", "critical"]
# The same in responses, whose values come from the database.
ComponentStatusOut = Annotated[str, Field(json_schema_extra={"enum": list(ComponentStatus.values)})]
StatusOut = Annotated[str, Field(json_schema_extra={"enum": list(Status.values)})]
ImpactOut = Annotated[str, Field(json_schema_extra={"enum": list(Impact.values)})]


class RequestModel(BaseModel):
    """An object in a request. Unknown keys are ignored, as Statuspage does."""

    model_config = ConfigDict(extra="ignore")

    def given(self, *names: str) -> dict[str, Any]:
        """Return the values of those `names` that the client sent."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}

    def texts(self, **names: str) -> dict[str, str]:
        """Return the texts that the client sent, renamed: `texts(group_id="label")`. Null becomes an empty text."""
        return {new: getattr(self, name) or "" for name, new in names.items() if name in self.model_fields_set}


class ResponseModel(BaseModel):
    """An object in a response. Every key is always present, null if it has no value."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class ErrorOut(ResponseModel):
    """`error` is the messages by field, or one message. `message` is all of them in one line."""

    error: str | dict[str, list[str]]
    message: str
