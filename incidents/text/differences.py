"""The difference of two texts in bounded time: by words, or by lines first if words repeat too often."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# difflib compares each word with all equal words of the other text, several times.
MAX_PAIRS = 60_000


@dataclass(frozen=True)
class Change:
    """A part that both texts share (`old` equals `new`), or a part of `old` that `new` replaced."""

    old: str
    new: str


def differences(old: str, new: str) -> list[Change]:
    """Return the changes from `old` to `new`, in order."""
    changes = _compared(_split_words(old), _split_words(new))
    if changes is None:
        changes = _compared(old.splitlines(keepends=True), new.splitlines(keepends=True))
        changes = [part for change in changes or [Change(old, new)] for part in _by_words(change)]
    return changes


def _by_words(change: Change) -> list[Change]:
    if change.old == change.new or not change.old or not change.new:
        return [change]
    return _compared(_split_words(change.old), _split_words(change.new)) or [change]


def _split_words(text: str) -> list[str]:
    return re.findall(r"\s+|[^\s]+", text)


def _compared(before: Sequence[str], after: Sequence[str]) -> list[Change] | None:
    """Return the changes from `before` to `after`, or None if that would take too long."""
    head = _shared(before, after)
    tail = _shared(before[head:][::-1], after[head:][::-1])
    middle_before, middle_after = before[head : len(before) - tail], after[head : len(after) - tail]
    counts, other_counts = Counter(middle_before), Counter(middle_after)
    if sum(count * other_counts[part] for part, count in counts.items()) > MAX_PAIRS:
        return None
    shared_head, shared_tail = "".join(before[:head]), "".join(before[len(before) - tail :])
    middle = _matched(middle_before, middle_after)
    return [c for c in (Change(shared_head, shared_head), *middle, Change(shared_tail, shared_tail)) if c.old or c.new]


def _shared(before: Sequence[str], after: Sequence[str]) -> int:
    """Return how many parts at the start are equal."""
    unequal = (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b)
    return next(unequal, min(len(before), len(after)))


def _matched(before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    for _, a1, a2, b1, b2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        yield Change("".join(before[a1:a2]), "".join(after[b1:b2]))
