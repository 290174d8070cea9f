"""What tests.bench.proofreading prints. Apart from it, because Django has to be set up before this is imported."""

import time
from dataclasses import replace

from incidents.proofreading import ProofreadingOptions, proofread
from tests.incidents.proofreading.corpus import COMPONENTS, OPEN, PAGE, Score, read, score

REPEATS = 5
SIZES = (5_000, 25_000)
HOSTILE = {
    "digits": "1",
    "times": "14:14 ",
    "times with zones": "7:00 AM PT (13:00 UTC) ",
    "ranges": "between 10:00 and 11:00 ",
    "dates": "Monday, May 1 ",
    "months": "Sep ",
    "letters": "a",
    "capitals": "AA ",
    "dots": "a.",
    "dashes": "a-",
    "colons": "a:",
    "at signs": "a@",
    "slashes": "a://",
    "keys": "eyJaaaaaaaaaaa.",
    "equals": "token=",
    "brackets": "[",
    "braces": "{{",
    "angles": "<number ",
    "backticks": "`",
    "fences": "```\n",
    "spaces": " ",
    "lines": "\n",
    "headings": "# ",
    "names": "Tom deleted ",
    "promises": "will write ",
    "outages": "outage lasted ",
    "durations": "a 4 hour ",
    "components": "Evnt inspectr ",
    "stack traces": "at a.b(",
    "trace lines": 'File "',
    "ruby": "a/b.rb:1:in `",
    "some users": "some users ",
}


def print_all() -> None:
    for name in ("corpus.txt", "held_out.txt"):
        _print_score(name, score(read(name)))
    _print_speed()


def _print_score(name: str, result: Score) -> None:
    print(f"\n{name:<18} right wrong missed  precision recall")
    for code in result.codes:
        counts = f"{result.right[code]:5} {result.wrong[code]:5} {result.missed[code]:6}"
        print(f"{code:<18} {counts}  {result.precision(code):9.2f} {result.recall(code):6.2f}")
    print(f"{'all':<18} {'':18}  {result.precision(*result.codes):9.3f} {result.recall(*result.codes):6.3f}")


def _print_speed() -> None:
    print(f"\n{'ms of CPU for':<18} {SIZES[0]:>8,} {SIZES[1]:>8,}  ratio")
    sentences = " ".join(sentence.text for sentence in read("corpus.txt"))
    for name, piece in {"the corpus": sentences + " ", **HOSTILE}.items():
        small, large = (_milliseconds((piece * (size // len(piece) + 1))[:size]) for size in SIZES)
        print(f"{name:<18} {small:8.1f} {large:8.1f}  {large / small:5.1f}")


def _milliseconds(text: str) -> float:
    """The best of some runs, with many components, customers and patterns."""
    names = (*COMPONENTS, *(f"Service number {n} of region {n % 7}" for n in range(193)))
    options = ProofreadingOptions.checked(
        hosts=[f"*-{n}.prod.*" for n in range(20)], customers=[f"Customer {n} Ltd" for n in range(500)]
    )
    page = replace(PAGE, components=names, options=options)
    runs = []
    for _ in range(REPEATS):
        before = time.process_time()
        proofread(text, OPEN, page)
        runs.append(time.process_time() - before)
    return 1000 * min(runs)
