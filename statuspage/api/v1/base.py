"""The types that requests are made of. Each refuses what no database or calendar could keep."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from incidents.models.states import ComponentStatus, Impact, Status

YEARS = range(1990, 2200)


def _known_year(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"The year {moment.year} is not a year that something happens in.")
    return moment


def _zoned(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("The time needs a time zone, for example 2022-09-21T14:14:00Z.")
    return _known_year(moment)


def _known_day(day: date) -> date:
    if day.year not in YEARS:
        raise ValueError(f"The year {day.year} is not a year that something happens in.")
    return day


Moment = Annotated[datetime, AfterValidator(_zoned)]
# Without a zone it is on the page's clock.
LooseMoment = Annotated[datetime, AfterValidator(_known_year)]
Day = Annotated[date, AfterValidator(_known_day)]
Seconds = Annotated[int, Field(ge=631152000, lt=7258118400, description="Unix time, in seconds")]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e300, le=1e300)]
Name = Annotated[str, Field(max_length=255)]
Text = Annotated[str, Field(max_length=25_000)]
Codes = Annotated[list[str], Field(max_length=1000)]

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
# The same in answers, where they come from the database.
ComponentStatusOut = Annotated[str, Field(json_schema_extra={"enum": list(ComponentStatus.values)})]
StatusOut = Annotated[str, Field(json_schema_extra={"enum": list(Status.values)})]
ImpactOut = Annotated[str, Field(json_schema_extra={"enum": list(Impact.values)})]


class RequestModel(BaseModel):
    """A part of a request. What we do not know is ignored, as Statuspage does."""

    model_config = ConfigDict(extra="ignore")

    def given(self, *names: str) -> dict[str, Any]:
        """Those of `names` that the client sent."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}

    def texts(self, **names: str) -> dict[str, str]:
        """Those that the client sent, by our names: `texts(group_id="label")`. A null is an empty text."""
        return {ours: getattr(self, theirs) or "" for theirs, ours in names.items() if theirs in self.model_fields_set}


class ResponseModel(BaseModel):
    """A part of an answer: every key always there, null where there is nothing."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class ErrorOut(ResponseModel):
    """`error` by the field that is wrong, or one sentence; `message` is all of it in one line."""

    error: str | dict[str, list[str]]
    message: str
