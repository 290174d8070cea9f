"""Prepare a text for the rules: blank out code and addresses, and split it into sentences. Positions stay the same."""

import re
from bisect import bisect_right
from functools import cached_property

from incidents.text.time_shorthand import PATTERN

# The time shorthand is always right, so it is not checked as a time.
SHORTHAND = re.compile(PATTERN, re.ASCII)
_CODE = re.compile(r"`[^`\n]+`")
_ADDRESS = re.compile(r"(?<![\w+.-])(?:https?://|mailto:)[^\s)>\]]+", re.ASCII)
_SENTENCE_END = re.compile(r"[.!?]+[\"”’)]?\s+(?=[^\sa-z])|\n\s*")
_NEAR = 400  # characters
_ABBREVIATED = re.compile(r"\b(?:[ap]\.m|e\.g|i\.e|approx|vs|no)\.\s*$", re.IGNORECASE)


class Text:
    def __init__(self, raw: str) -> None:
        self.raw = raw

    @cached_property
    def prose(self) -> str:
        """The text with spaces instead of code, addresses and time shorthands."""
        text = _without_code_blocks(self.raw)
        for pattern in (_CODE, _ADDRESS, SHORTHAND):
            text = pattern.sub(lambda match: " " * len(match.group()), text)
        return text

    @cached_property
    def _starts(self) -> list[int]:
        ends = _SENTENCE_END.finditer(self.prose)
        return [0, *(e.end() for e in ends if not _ABBREVIATED.search(self.prose, max(0, e.start() - 8), e.end()))]

    def sentence(self, at: int) -> str:
        """Return the sentence around `at`, or the nearest part of a very long one."""
        begin, end = self._bounds(bisect_right(self._starts, at) - 1)
        return self.prose[max(begin, at - _NEAR) : min(end, at + _NEAR)]

    @cached_property
    def sentences(self) -> list[tuple[int, str]]:
        """The sentences with their positions."""
        bounds = map(self._bounds, range(len(self._starts)))
        return [(begin, self.prose[begin:end]) for begin, end in bounds]

    def _bounds(self, number: int) -> tuple[int, int]:
        is_last = number + 1 == len(self._starts)
        return self._starts[number], len(self.prose) if is_last else self._starts[number + 1]


def _without_code_blocks(text: str) -> str:
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = line.lstrip(" ")[:3]
        is_fence = mark in ("```", "~~~") and (not fence or mark == fence)
        is_code = bool(fence) or is_fence or (line.startswith("    ") and (not lines or not lines[-1].strip()))
        if is_fence:
            fence = "" if fence else mark
        lines.append(" " * len(line) if is_code else line)
    return "\n".join(lines)
