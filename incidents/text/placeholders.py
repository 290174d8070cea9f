"""Fill placeholders like `{{component}}` in texts, and find the unfilled ones."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z][\w ]{0,40}?)\s*\}\}")
# Code is left alone: fenced blocks, then spans. Neither pattern backtracks.
_CODE = re.compile(r"^(```|~~~)[^\n]*\n.*?(?:^\1[^\n]*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Placeholder:
    """`line` counts from 1."""

    name: str
    line: int


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders that `values` has a text for. The others stay for the author."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1].lower()) or match[0], text)


def unfilled(text: str) -> list[Placeholder]:
    """Return the placeholders that remain in `text`, without those in code."""
    prose = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    return [Placeholder(match[1], prose.count("\n", 0, match.start()) + 1) for match in _PLACEHOLDER.finditer(prose)]
