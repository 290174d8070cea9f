"""The incident report that the main job must carry word for word: the real one where it lies, else one of our own."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
REAL = HERE.parents[2] / "shared" / "examples" / "incident-report.txt"
OWN = HERE / "report.txt"

POSTED = re.compile(r"^Posted (\w{3} \d\d, \d{4} - \d\d:\d\d) UTC$")


@dataclass(frozen=True)
class Part:
    """One posted text: the postmortem or an update."""

    lines: list[str]
    posted: str

    @property
    def at(self) -> datetime:
        return datetime.strptime(self.posted, "%b %d, %Y - %H:%M").replace(tzinfo=UTC)

    @property
    def text_lines(self) -> list[str]:
        """Its lines as a visitor reads them: without blank ones, and without the numbers that the list draws."""
        return [re.sub(r"^\d+\. ", "", line) for line in self.lines if line]

    @property
    def markdown(self) -> str:
        return "\n".join(f"## {line}" if self._is_heading(line) else line for line in self.lines).strip()

    def _is_heading(self, line: str) -> bool:
        return bool(line) and len(line) < 50 and line[-1].isalpha()


@dataclass(frozen=True)
class Report:
    title: str
    company: str
    postmortem: Part
    updates: list[Part]
    affected: str

    @property
    def group(self) -> str:
        return self._affected[0]

    @property
    def component(self) -> str:
        return self._affected[1]

    @property
    def _affected(self) -> tuple[str, str]:
        match = re.fullmatch(r"This incident affected: (.+) \((.+)\)\.", self.affected)
        assert match, self.affected
        return match.group(1), match.group(2)


def read(path: Path = REAL) -> Report:
    """Updates come newest first, as they stand in the report."""
    text = (path if path.exists() else OWN).read_text(encoding="utf-8")
    title, company, *lines = [line.strip() for line in text.splitlines()]
    parts: list[Part] = []
    collected: list[str] = []
    for line in lines:
        if match := POSTED.match(line):
            parts.append(Part(collected, match.group(1)))
            collected = []
        else:
            collected.append(line)
    return Report(title, company.removeprefix("Incident Report for "), parts[0], parts[1:], collected[-1])
