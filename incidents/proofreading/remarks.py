"""The remarks of the proofreader and their severities."""

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: wrong, or must not be public. WARNING: readers will probably misunderstand. ADVICE: could be better."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, order=True)
class Remark:
    """`start` and `end` are positions in the text; both are its length if something is missing at the end.

    `suggestion` replaces these characters. It is None if only the author knows what to write.
    """

    start: int
    end: int
    severity: Severity = field(compare=False)
    code: str
    message: str
    suggestion: str | None = field(default=None, compare=False)
