"""The output of an import: a message for each problem at once, the progress bar, and a table at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from incidents.transfer.records import ImportOutcome, ImportResult
from statuspage.importers.progress import ProgressBar

COLUMNS = ("", "read", *ImportOutcome)


@dataclass
class ImportReport:
    """`write` prints a line. Messages are not stored, because there may be thousands.

    `counts` has the number of records by kind and outcome, `written` how many were created or changed, `problems` how
    many were skipped or differ from the source. `not_imported` has the reason for each part of the source that is not
    imported.
    """

    write: Callable[[str], None]
    bar: ProgressBar | None = None
    counts: dict[str, Counter[str]] = field(default_factory=dict)
    written: int = 0
    problems: int = 0
    not_imported: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, name: str, result: ImportResult) -> None:
        """Count a record. `kind` is a plural: incidents, components."""
        self.counts.setdefault(kind, Counter())[result.outcome] += 1
        self.written += result.outcome in (ImportOutcome.CREATED, ImportOutcome.CHANGED)
        if result.outcome == ImportOutcome.SKIPPED:
            self.problems += 1
            for note in result.notes:
                self._print(f"{name}: skipped, because {note}.")
        else:
            for note in result.notes:
                self.note(name, note)

    def skip(self, kind: str, name: str, reason: str) -> None:
        self.add(kind, name, ImportResult(ImportOutcome.SKIPPED, (reason,)))

    def note(self, name: str, text: str) -> None:
        """Report that something differs from the source."""
        self.problems += 1
        self._print(f"{name}: {text.rstrip('.')}.")

    def progress(self, kind: str, done: int, total: int = 0) -> None:
        """Show how many records were read. `total` 0: unknown."""
        if self.bar:
            self.bar.show(kind, done, total)

    def print_table(self) -> None:
        """Print the counts, one line per kind, and what was not imported."""
        if not self.counts:
            return
        rows = [COLUMNS, *((kind, *_cells(counter)) for kind, counter in self.counts.items())]
        lines = [f"{row[0]:<16}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in rows]
        lines += [f"not imported: {part}: {reason}" for part, reason in self.not_imported.items()]
        self._print("\n".join(lines))

    def _print(self, text: str) -> None:
        if self.bar:
            self.bar.clear()
        self.write(text)


def _cells(counter: Counter[str]) -> list[str]:
    return [f"{number:,}" for number in (sum(counter.values()), *(counter[outcome] for outcome in ImportOutcome))]
