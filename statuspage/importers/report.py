"""What an import has to say for itself: every oddity at once, and the table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from incidents.transfer.records import Outcome, Result

Tell = Callable[[str], None]

HEAD = ("", "read", *Outcome)


@dataclass
class Report:
    """`tell` prints a line. Notes are told and forgotten: there may be thousands."""

    tell: Tell
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)
    left: dict[str, str] = field(default_factory=dict)
    notes: int = 0

    def add(self, kind: str, name: str, result: Result) -> None:
        """One thing was read; `result` says what became of it. `kind` is a plural: incidents, components."""
        self._count(kind)[result.outcome] += 1
        for note in result.notes:
            if result.outcome == Outcome.SKIPPED:
                self.tell(f"{name}: skipped, because {note}.")
            else:
                self.note(name, note)

    def skip(self, kind: str, name: str, why: str) -> None:
        self.add(kind, name, Result(Outcome.SKIPPED, (why,)))

    def note(self, name: str, text: str) -> None:
        """Something is not quite as it was there."""
        self.notes += 1
        self.tell(f"{name}: {text.rstrip('.')}.")

    def leave(self, what: str, why: str) -> None:
        """Something of the other product that has no place here. No fault of anybody."""
        self.left[what] = why

    @property
    def skipped(self) -> int:
        return sum(counter[Outcome.SKIPPED] for counter in self.counts.values())

    @property
    def written(self) -> int:
        return sum(counter[Outcome.CREATED] + counter[Outcome.CHANGED] for counter in self.counts.values())

    @property
    def is_clean(self) -> bool:
        return not self.skipped and not self.notes

    def as_json(self) -> dict[str, dict[str, int]]:
        return {kind: dict(counter) for kind, counter in self.counts.items()}

    def table(self) -> str:
        """Read, created, changed, unchanged, skipped: one line per kind of thing, then what was left."""
        rows = [HEAD, *((kind, *self._figures(counter)) for kind, counter in self.counts.items())]
        lines = [f"{row[0]:<16}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in rows]
        lines += [f"left: {what}: {why}" for what, why in self.left.items()]
        return "\n".join(lines)

    @staticmethod
    def _figures(counter: Counter[str]) -> list[str]:
        return [f"{number:,}" for number in (sum(counter.values()), *(counter[outcome] for outcome in Outcome))]

    def _count(self, kind: str) -> Counter[str]:
        return self.counts.setdefault(kind, Counter())
