"""Labelled sentences, the records they are about, and how well the proofreader does on them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from incidents.models.states import Impact, Status
from incidents.proofreading import PageFacts, ProofreadingOptions, Record, proofread

HERE = Path(__file__).parent

COMPONENTS = ("REST API", "Event inspector", "Workflow builder", "Website", "Checkout", "Webhooks", "Search")
PAGE = PageFacts(
    zone=UTC,
    components=COMPONENTS,
    people=("Priya Raman", "Tom Becker"),
    emails=("priya@acme.example", "tom.becker@acme.example"),
    options=ProofreadingOptions(hosts=("*.prod.acme.example",), customers=("Northwind Traders", "Globex", "Initech")),
)
SEPTEMBER = Record(
    started_at=datetime(2022, 9, 21, 14, 14, tzinfo=UTC),
    written_at=datetime(2022, 9, 21, 15, 2, tzinfo=UTC),
    resolved_at=datetime(2022, 9, 21, 15, 2, tzinfo=UTC),
    status=Status.RESOLVED,
    impact=Impact.MAJOR,
)
OPEN = replace(SEPTEMBER, resolved_at=None, status=Status.INVESTIGATING, impact=Impact.MINOR, awaits_update=True)


def _resolved(start: datetime, end: datetime) -> Record:
    return replace(SEPTEMBER, started_at=start, resolved_at=end, written_at=end, impact=Impact.MINOR)


NOVEMBER = _resolved(datetime(2026, 11, 2, 18, 0, tzinfo=UTC), datetime(2026, 11, 2, 19, 10, tzinfo=UTC))
JANUARY = _resolved(datetime(2027, 1, 14, 9, 0, tzinfo=UTC), datetime(2027, 1, 14, 10, 30, tzinfo=UTC))

# What the “== name” lines of the files stand for.
CONTEXTS = {
    "september": (SEPTEMBER, PAGE),
    "november": (NOVEMBER, replace(PAGE, zone=ZoneInfo("America/Los_Angeles"))),
    "january": (JANUARY, replace(PAGE, zone=ZoneInfo("Europe/Berlin"))),
    "open": (OPEN, PAGE),
    "short": (SEPTEMBER, replace(PAGE, options=replace(PAGE.options, max_words=20))),
}


@dataclass(frozen=True)
class Sentence:
    """`marks`: code, start and end of what must be found."""

    context: str
    text: str
    marks: tuple[tuple[str, int, int], ...]


def read(name: str) -> list[Sentence]:
    context, sentences = "", []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            context = line.removeprefix("== ")
        elif line and not line.startswith("# "):
            sentences.append(_sentence(context, line.replace("¶", "\n")))
    return sentences


def _sentence(context: str, line: str) -> Sentence:
    text, marks = "", []
    for piece in line.split("⟦"):
        marked, is_marked, rest = piece.rpartition("⟧")
        if is_marked:
            code, _, passage = marked.partition("|")
            marks.append((code, len(text), len(text) + len(passage)))
            text += passage
        text += rest
    return Sentence(context, text, tuple(marks))


@dataclass
class Score:
    """Per rule: what was found rightly, found wrongly, and missed; and each of the last two in words."""

    right: Counter[str]
    wrong: Counter[str]
    missed: Counter[str]
    mistakes: list[str]

    def precision(self, *codes: str) -> float:
        right, wrong = (sum(counts[code] for code in codes) for counts in (self.right, self.wrong))
        return right / (right + wrong) if right + wrong else 1.0

    def recall(self, *codes: str) -> float:
        right, missed = (sum(counts[code] for code in codes) for counts in (self.right, self.missed))
        return right / (right + missed) if right + missed else 1.0

    @property
    def codes(self) -> list[str]:
        return sorted({*self.right, *self.wrong, *self.missed})


def score(sentences: list[Sentence]) -> Score:
    result = Score(Counter(), Counter(), Counter(), [])
    for sentence in sentences:
        marks = list(sentence.marks)
        for code, start, end in _said(sentence):
            met = next((mark for mark in marks if mark[0] == code and start <= mark[2] and mark[1] <= end), None)
            if met:
                marks.remove(met)
                result.right[code] += 1
            else:
                result.wrong[code] += 1
                result.mistakes.append(f"wrong {code}: {sentence.text[start:end]!r} in {sentence.text!r}")
        for code, start, end in marks:
            result.missed[code] += 1
            result.mistakes.append(f"missed {code}: {sentence.text[start:end]!r} in {sentence.text!r}")
    return result


def _said(sentence: Sentence) -> Iterator[tuple[str, int, int]]:
    for remark in proofread(sentence.text, *CONTEXTS[sentence.context]):
        yield remark.code, remark.start, remark.end
