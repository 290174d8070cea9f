"""Who does something: what the audit log keeps of a person, a token or the system itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """`kind` is user, token or system; `ref` its stable id; `label` the name that people read."""

    kind: str
    ref: str
    label: str


SYSTEM = Actor("system", "", "Candor")
