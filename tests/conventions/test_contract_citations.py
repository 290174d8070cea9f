"""Every citation of the contract (docs/contract.md) names a section that exists there."""

import re
from pathlib import Path

import pytest

from tests.conventions.code import ROOT

CONTRACT = ROOT / "docs" / "contract.md"
PATTERNS = (
    "incidents/**/*.py",
    "statuspage/**/*.py",
    "tests/**/*.py",
    "templates/**/*",
    "static/css/*.css",
    "static/js/*.js",
    "docs/**/*.md",
    "*.md",
)

NUMBER = r"(?:§ ?)?[1-9]\d?(?:\.\d{1,2})?(?![\w%]|\.\d)"
NUMBERS = rf"{NUMBER}(?:(?:,? and |, ?|–|-){NUMBER})*"
# "contract section 1.3", "contract sections 1.2 and 1.3", "contract 3.2", "contract, 1.6", "contract §4.1".
WITH_CONTRACT = re.compile(rf"\bcontract,? (?:sections? )?({NUMBERS})", re.IGNORECASE)
# "section 4.1" and "§4.1" alone, in a file that cites the contract elsewhere. A number after "RFC 5321" is the RFC's.
ALONE = re.compile(rf"(?<!\w)(?:sections? |§ ?)({NUMBERS})", re.IGNORECASE)
OTHER_SOURCE = re.compile(r"\b(?:RFC \d+|WCAG [\d.]+|ISO \d+|HTML|CSS|OpenAPI)[^.;()]{0,40}$")
HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", re.MULTILINE)
# Line breaks with what begins the next line of a comment or a quotation.
BREAK = re.compile(r"\s*\n[ \t]*(?:(?:#|//|\*|>) ?)?[ \t]*")


def sections(text: str) -> list[str]:
    """The numbers of the contract's sections, in the order of the document."""
    return HEADING.findall(text)


def citations(text: str) -> list[str]:
    """The numbers of the contract's sections that a text cites, with repetitions."""
    flat = BREAK.sub(" ", text)
    cited = [number for match in WITH_CONTRACT.finditer(flat) for number in _split(match[1])]
    if not cited and "docs/contract.md" not in flat:
        return []
    spans = [match.span() for match in WITH_CONTRACT.finditer(flat)]
    for match in ALONE.finditer(flat):
        inside = any(start <= match.start() < end for start, end in spans)
        if not inside and not OTHER_SOURCE.search(flat[: match.start()][-60:]):
            cited += _split(match[1])
    return cited


def _split(numbers: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", numbers)


def citing_files() -> dict[str, list[str]]:
    """The citations of each file that has some, by its path. This file holds examples of them, so it is left out."""
    paths = {path for pattern in PATTERNS for path in ROOT.glob(pattern) if path.is_file()}
    citations_by_file = {}
    for path in sorted(paths - {Path(__file__).resolve(), CONTRACT}):
        if "vendor" in path.parts or path.suffix in {".png", ".webp", ".ico"}:
            continue
        cited = citations(path.read_text(encoding="utf-8"))
        if cited:
            citations_by_file[str(path.relative_to(ROOT))] = cited
    return citations_by_file


def unknown(cited: dict[str, list[str]], known: list[str]) -> dict[str, list[str]]:
    wrong = {name: [number for number in numbers if number not in known] for name, numbers in cited.items()}
    return {name: numbers for name, numbers in wrong.items() if numbers}


def test_every_cited_section_of_the_contract_exists() -> None:
    cited = citing_files()
    assert len(cited) > 20
    assert unknown(cited, sections(CONTRACT.read_text(encoding="utf-8"))) == {}


def test_references_inside_the_contract_lead_to_its_sections() -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    cited = citations(f"docs/contract.md {text}")
    assert len(cited) > 20
    assert unknown({"docs/contract.md": cited}, sections(text)) == {}


def test_the_sections_of_the_contract_are_in_order_and_unique() -> None:
    numbers = [tuple(map(int, number.split("."))) for number in sections(CONTRACT.read_text(encoding="utf-8"))]
    assert len(numbers) > 20
    assert numbers == sorted(set(numbers))
    assert [number[0] for number in numbers if len(number) == 1] == list(range(1, numbers[-1][0] + 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("as others do (contract section 1.3)", ["1.3"]),
        ("(contract sections 1.3 and 5)", ["1.3", "5"]),
        ("(contract section 1; docs/statuspage-compatibility.md)", ["1"]),
        ("both kinds of clients (contract 3.2)", ["3.2"]),
        ("alike (contract 1.3, 3.5)", ["1.3", "3.5"]),
        ("by its rules (contract, 1)", ["1"]),
        ("forms (contract, 1.6): the promises", ["1.6"]),
        ("nested names. Contract section 3.2.", ["3.2"]),
        ("contract §4.1", ["4.1"]),
        ("by its own intervals (contract\n    section 3.4), which", ["3.4"]),
        ("# Text messages (contract\n# section 4.3)", ["4.3"]),
        ("(contract section 1.1).\n\nIn the order of its webhooks (section 4.1)", ["1.1", "4.1"]),
        ("(contract section 1.1), see also §9.9", ["1.1", "9.9"]),
        ("(contract section 1.1), TEXT as in RFC 5545, section 3.1", ["1.1"]),
        ("RFC 5321 section 4.5.2", []),
        ("section 4.1 of some other document", []),
        ("agree with 200 contracts that we checked; a contract of 12 months", []),
    ],
)
def test_citations_are_found_in_every_spelling(text: str, expected: list[str]) -> None:
    assert citations(text) == expected


def test_a_citation_of_a_section_that_does_not_exist_is_reported() -> None:
    known = sections("## 1. API\n\n### 1.1 Endpoints\n\n## 2. Pages\n")
    assert known == ["1", "1.1", "2"]
    cited = {"a.py": citations("(contract sections 1.1 and 1.9)"), "b.py": citations("(contract, 2)")}
    assert unknown(cited, known) == {"a.py": ["1.9"]}
