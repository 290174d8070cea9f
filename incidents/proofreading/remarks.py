"""What the proofreader says, and how much it matters."""

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """ERROR: wrong, or must not be public. WARNING: readers will probably misunderstand. ADVICE: could be better."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True, order=True)
class Remark:
    """`start` and `end` count characters of the text; both are its length where something is missing at the end.

    `suggestion` replaces exactly those characters; None where only the author can know what to write.
    """

    start: int
    end: int
    severity: Severity = field(compare=False)
    code: str
    message: str
    suggestion: str | None = field(default=None, compare=False)
