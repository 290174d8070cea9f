"""The text, color and size of a badge, which templates/public/badge.svg draws."""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.text import Truncator

from incidents.models.states import Impact

# The light colors of tokens.css, which an image on another site cannot read. The text on them is white.
COLORS = {
    Impact.NONE: "#14774a",
    Impact.MAINTENANCE: "#2a62b5",
    Impact.MINOR: "#8a5b00",
    Impact.MAJOR: "#b34a0c",
    Impact.CRITICAL: "#b5162f",
}
LONGEST_NAME = 60
PADDING = 8
_NARROW, _WIDE = set("fijlrtI.,:;|!'()[]/- "), set("mwMW@%")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Badge:
    """The name of the page or component, its status in words, and the color of that status."""

    name: str
    word: str
    color: str

    @property
    def name_length(self) -> int:
        return text_width(self.name)

    @property
    def word_length(self) -> int:
        return text_width(self.word)

    @property
    def name_width(self) -> int:
        return self.name_length + 2 * PADDING

    @property
    def word_at(self) -> int:
        return self.name_width + PADDING

    @property
    def width(self) -> int:
        return self.name_width + self.word_length + 2 * PADDING

    @property
    def word_end(self) -> int:
        """Return the x position at which the rounded corners on the right begin."""
        return self.width - 3


def text_width(text: str) -> int:
    """Estimate the width of `text` in pixels at a font size of 11. The SVG fits the text to this width in any font."""
    return round(sum(map(_character_width, text)))


def _character_width(character: str) -> float:
    if unicodedata.combining(character):
        return 0
    if unicodedata.east_asian_width(character) in "WF":
        return 11
    if character in _WIDE:
        return 10
    return 4 if character in _NARROW else 7.5 if character.isupper() else 6.5


def short_name(name: str) -> str:
    """Return `name` without characters that XML does not allow, truncated to LONGEST_NAME."""
    return Truncator(_NOT_XML.sub("", name)).chars(LONGEST_NAME)
