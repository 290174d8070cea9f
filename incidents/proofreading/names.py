"""Find misspelled component names: wrong capitals, or one wrong letter."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity

_WORD = re.compile(r"\w+(?:[-.’']\w+)*")
_SHORTEST = 6  # letters that a name needs before a wrong one is thought to be a slip
_ENDINGS = ("s", "es", "ed", "er", "ing", "’s", "'s")


@dataclass(frozen=True)
class _Name:
    spelling: str
    parts: tuple[str, ...]

    @property
    def folded(self) -> str:
        return " ".join(self.parts).lower()


def check_names(text: Text, components: Sequence[str]) -> Iterator[Remark]:
    names = [_Name(name, parts) for name in components if (parts := tuple(_WORD.findall(name)))]
    exact = {name.folded: name for name in names}
    slips = {key: name for name in names if len(name.folded) >= _SHORTEST for key in _without_one(name.folded)}
    heads = {(name.folded[0], len(name.parts)) for name in names}
    lengths = sorted({len(name.parts) for name in names}, reverse=True)
    matches = list(_WORD.finditer(text.prose))
    index, number = _Index(exact, slips, heads, lengths), 0
    while number < len(matches):
        remark, taken = _at(text.prose, matches, number, index)
        if remark:
            yield remark
        number += max(1, taken)


class _Index(NamedTuple):
    """The names by spelling, and by spelling without one letter; their first letters and numbers of words."""

    exact: dict[str, _Name]
    slips: dict[str, _Name]
    heads: set[tuple[str, int]]
    lengths: list[int]


def _at(prose: str, matches: list[re.Match[str]], number: int, index: _Index) -> tuple[Remark | None, int]:
    """Return the remark about a name that starts at this word, and its number of words; 0 without a name."""
    initial = prose[matches[number].start()].lower()
    for count in index.lengths:
        if (initial, count) not in index.heads or number + count > len(matches):
            continue
        start, end = matches[number].start(), matches[number + count - 1].end()
        text = prose[start:end]
        if name := index.exact.get(text.lower()):
            return _remark(start, end, text, name) if _is_miscased(text, name.spelling) else None, count
        if (name := _slip(text.lower(), index.slips)) and _is_probable(prose, start, text, name):
            return _remark(start, end, text, name), count
    return None, 0


def _remark(start: int, end: int, text: str, name: _Name) -> Remark:
    spelling = name.spelling
    if spelling[1:].islower() and text[0].islower():
        spelling = spelling[0].lower() + spelling[1:]
    message = f"The component is called “{name.spelling}”."
    return Remark(start, end, Severity.WARNING, "component-name", message, spelling)


def _is_miscased(text: str, spelling: str) -> bool:
    """`Github` for `GitHub`, `rest Api` for `REST API`; not `event inspector` for `Event Inspector`."""
    ours, theirs = _WORD.findall(spelling), _WORD.findall(text)
    return any(a[1:] != b[1:] and not b.isupper() for a, b in zip(ours, theirs, strict=False)) or any(
        a.isupper() and len(a) > 1 and a != b for a, b in zip(ours, theirs, strict=False)
    )


def _without_one(word: str) -> Iterator[str]:
    yield word
    for at in range(1, len(word)):
        yield word[:at] + word[at + 1 :]


def _slip(text: str, slips: dict[str, _Name]) -> _Name | None:
    if len(text) < _SHORTEST - 1:
        return None
    for key in _without_one(text):
        name = slips.get(key)
        if name and name.folded != text and not _is_form_of(text, name.folded) and one_slip(text, name.folded):
            return name
    return None


def _is_form_of(text: str, name: str) -> bool:
    """A plural, a possessive, or the word that the name is made from."""
    return any(text == name + ending or name == text + ending for ending in _ENDINGS)


def one_slip(a: str, b: str) -> bool:
    """Return whether one letter is missing, extra or different, or two neighbors are swapped."""
    if abs(len(a) - len(b)) > 1 or a == b:
        return False
    at = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    swapped = a[at + 1 : at + 2] + a[at : at + 1]
    return (
        a[at + 1 :] == b[at:]
        or a[at:] == b[at + 1 :]
        or a[at + 1 :] == b[at + 1 :]
        or (swapped == b[at : at + 2] and a[at + 2 :] == b[at + 2 :])
    )


def _is_probable(prose: str, start: int, text: str, name: _Name) -> bool:
    """A single word with another letter may be another word, unless it stands there like a name."""
    if len(name.parts) > 1 or len(text) != len(name.folded) or sorted(text.lower()) == sorted(name.folded):
        return True
    begins = not prose[:start].strip() or bool(re.search(r"[.!?:]\s*$|\n\s*$", prose[max(0, start - 5) : start]))
    return text[0].isupper() and not begins
