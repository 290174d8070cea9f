"""Texts with gaps: `{{component}}` and the like, filled where the incident knows, named where only its author does."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z][\w ]{0,40}?)\s*\}\}")
# What stands as code is meant as it stands: fences, then spans. Neither pattern goes back over what it has read.
_CODE = re.compile(r"^(```|~~~)[^\n]*\n.*?(?:^\1[^\n]*$|\Z)|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Gap:
    """`line` counts from 1."""

    name: str
    line: int


def fill(text: str, known: Mapping[str, str]) -> str:
    """`text` with each variable that `known` has a word for; the others stay, for people to fill."""
    return _VARIABLE.sub(lambda found: known.get(found[1].lower()) or found[0], text)


def gaps(text: str) -> list[Gap]:
    """The variables that are still there, but for those inside code, which are meant."""
    prose = _CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
    return [Gap(found[1], prose.count("\n", 0, found.start()) + 1) for found in _VARIABLE.finditer(prose)]
