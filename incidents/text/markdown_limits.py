"""Limits on the number and the nesting of Markdown's blocks.

Python-Markdown searches all lines that are left for each heading and rule, and calls itself for each level.
"""

import re
from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError

MAX_DEPTH = 20
QUOTED = 30
_MARKER = re.compile(r"[ \t]*(?:>|(?:[-+*]|\d{1,9}\.)(?=[ \t]|$))")
_INDENT = re.compile(r"[ \t>]*")
# A line counts for the first construct that it matches. Code blocks are not counted.
_CONSTRUCTS = [
    ("headings and rules", 300, re.compile(r"#|=+[ \t]*$|(?:[-_*][ \t]*){3,}$|-+[ \t]*$")),
    ("link definitions", 300, re.compile(r"\[[^\]]*\]:")),
    ("list items", 1000, re.compile(r"(?:[-+*]|\d+\.)(?:[ \t]|$)")),
    ("table rows", 1000, re.compile(r".*\|")),
]
MAX_FENCES = 300
MAX_LINES = 5000
# Characters, by what they mark. Each is searched for its partner.
MAX_CHARACTERS = {"|": ("table cells", 5000), "*": ("“*”", 2500), "_": ("“_”", 2500)}
_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)


def check_fences(text: str) -> None:
    """Raise ValidationError if `text` starts or ends too many code blocks."""
    if (count := len(_FENCE.findall(text))) > MAX_FENCES:
        raise ValidationError(_too_many("lines with ``` or ~~~", count, MAX_FENCES, "Split the text."))


def block_errors(lines: Iterable[str]) -> list[str]:
    """Return what would take too long to render in `lines`, which are without fenced code blocks."""
    lines = list(lines)
    return [*_too_deep(lines), *_too_many_blocks(lines), *_too_many_characters(lines)]


def _too_deep(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if _depth(line) > MAX_DEPTH:
            start = line.strip()[:QUOTED]
            yield f"Lists and quotes can be nested {MAX_DEPTH} levels deep. This line is deeper: “{start}…”"
            return


def _depth(line: str) -> int:
    depth = position = 0
    while depth <= MAX_DEPTH and (marker := _MARKER.match(line, position)):
        depth, position = depth + 1, marker.end()
    return depth


def _too_many_blocks(lines: Sequence[str]) -> Iterable[str]:
    if (line_count := len(lines)) > MAX_LINES:
        yield _too_many("lines", line_count, MAX_LINES)
    counts = dict.fromkeys([name for name, _, _ in _CONSTRUCTS], 0)
    for line in lines:
        text = line[_INDENT.match(line).end() :]  # type: ignore[union-attr]  # it always matches
        for name, _, pattern in _CONSTRUCTS:
            if pattern.match(text):
                counts[name] += 1
                break
    for name, limit, _ in _CONSTRUCTS:
        if counts[name] > limit:
            yield _too_many(name, counts[name], limit)


def _too_many_characters(lines: Iterable[str]) -> Iterable[str]:
    for character, (name, limit) in MAX_CHARACTERS.items():
        if (count := sum(line.count(character) for line in lines)) > limit:
            yield _too_many(name, count, limit)


def _too_many(name: str, count: int, limit: int, advice: str = "Put them in a code block, or split the text.") -> str:
    return f"The text has {count:,} {name}; {limit:,} are allowed. {advice}"
