from typing import Annotated

from pydantic import Field

from statuspage.api.schemas.parts import Answered, Asked, Number, Seconds


class Point(Answered):
    timestamp: Seconds
    value: Number


class PointBody(Asked):
    data: Point


class PointOut(Answered):
    data: Point


class PointsBody(Asked):
    """Points by the id of their metric."""

    data: dict[str, Annotated[list[Point], Field(max_length=3000)]]
