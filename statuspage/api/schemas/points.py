from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.parts import Number, RequestModel, ResponseModel, Seconds


class Point(ResponseModel):
    timestamp: Seconds
    value: Number


class PointBody(RequestModel):
    data: Point


class PointOut(ResponseModel):
    data: Point


class PointsBody(RequestModel):
    """Points by the id of their metric."""

    data: dict[str, Annotated[list[Point], Field(max_length=3000)]]
