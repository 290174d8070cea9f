"""Who does something: a person, an API token, or the system itself."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Actor:
    """`kind` is user, token or system; `ref` is its stable id; `label` is the name that people read.

    `owner_ref`: the id of the person who created the token. `approver`: the name of the second person who approved what
    the actor does now.
    """

    kind: str
    ref: str
    label: str
    owner_ref: str = field(default="", compare=False)
    approver: str = field(default="", compare=False)

    @property
    def key(self) -> str:
        """Identifies the actor, whatever it is called now."""
        return f"{self.kind}:{self.ref}"

    @property
    def person_ref(self) -> str:
        """The person who is responsible: a token acts for the person who created it. Nobody approves their own text."""
        return self.owner_ref or self.ref

    @property
    def person_key(self) -> str:
        """As `key`, of the person who is responsible."""
        return f"user:{self.owner_ref}" if self.owner_ref else self.key


SYSTEM = Actor("system", "", "Candor")
