"""Limits on the number and the nesting of Markdown's blocks.

Python-Markdown searches all lines that are left for each heading and rule, and calls itself for each level.
"""

import re
from collections.abc import Iterable

from django.core.exceptions import ValidationError

MAX_DEPTH = 20
QUOTED = 30
_MARKER = re.compile(r"[ \t]*(?:>|(?:[-+*]|\d{1,9}\.)(?=[ \t]|$))")
_INDENT = re.compile(r"[ \t>]*")
# A line counts for the first construct that it matches. Code blocks are not counted.
_CONSTRUCTS = [
    ("headings and rules", 300, re.compile(r"#|=+[ \t]*$|(?:[-_*][ \t]*){3,}$|-+[ \t]*$")),
    ("list items", 1000, re.compile(r"(?:[-+*]|\d+\.)(?:[ \t]|$)")),
    ("table rows", 1000, re.compile(r".*\|")),
]
MAX_FENCES = 300
MAX_CELLS = 5000
_FENCE = re.compile(r"^(?:```|~~~)", re.MULTILINE)


def check_fences(text: str) -> None:
    """Raise ValidationError if `text` starts or ends too many code blocks."""
    if (count := len(_FENCE.findall(text))) > MAX_FENCES:
        raise ValidationError(_too_many("lines with ``` or ~~~", count, MAX_FENCES))


def block_errors(lines: Iterable[str]) -> list[str]:
    """Return what would take too long to render in `lines`, which are without fenced code blocks."""
    lines = list(lines)
    return [*_too_deep(lines), *_too_many_blocks(lines)]


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


def _too_many_blocks(lines: Iterable[str]) -> Iterable[str]:
    counts = dict.fromkeys([name for name, _, _ in _CONSTRUCTS], 0)
    cells = 0
    for line in lines:
        text = line[_INDENT.match(line).end() :]  # type: ignore[union-attr]  # it always matches
        cells += text.count("|")
        for name, _, pattern in _CONSTRUCTS:
            if pattern.match(text):
                counts[name] += 1
                break
    counts_and_limits = [(name, counts[name], limit) for name, limit, _ in _CONSTRUCTS]
    for name, count, limit in [*counts_and_limits, ("table cells", cells, MAX_CELLS)]:
        if count > limit:
            yield _too_many(name, count, limit)


def _too_many(name: str, count: int, limit: int) -> str:
    return f"The text has {count:,} {name}; {limit:,} are allowed. Put them in a code block, or split the text."
