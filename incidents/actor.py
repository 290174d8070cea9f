"""Who does something: a person, an API token, or the system itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """`kind` is user, token or system; `ref` is its stable id; `label` is the name that people read."""

    kind: str
    ref: str
    label: str

    @property
    def key(self) -> str:
        """Identifies the actor, whatever it is called now."""
        return f"{self.kind}:{self.ref}"


SYSTEM = Actor("system", "", "Candor")
