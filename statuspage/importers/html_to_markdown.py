"""Convert the simple HTML in texts of other products to Markdown, because Candor shows HTML as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_TAG = re.compile(r"<(/?)(a|br|b|strong|i|em|p|ul|ol|li|code|u|span|div|h[1-6])(\s[^<>]*)?/?>", re.IGNORECASE)
_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
_BLOCKS = {"p", "div", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"}


def as_markdown(text: str) -> str:
    """Return `text` as Markdown, unchanged if it has no HTML outside of code. Unknown tags are kept as text."""
    if not _TAG.search(_CODE.sub("", text)):
        return text
    writer = _MarkdownWriter()
    writer.feed(text)
    writer.close()
    lines = "".join(writer.pieces).split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n")


class _MarkdownWriter(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._links: list[str] = []
        self._lists: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._links.append(dict(attrs).get("href") or "")
            self.pieces.append("[" if self._links[-1] else "")
        elif tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append("\n1. " if self._lists[-1:] == ["ol"] else "\n* ")
        elif tag in _MARKS:
            self.pieces.append(_MARKS[tag])
        elif tag in _BLOCKS:
            self._open_block(tag)
        elif tag not in ("u", "span"):
            self.pieces.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._links:
            target = self._links.pop()
            self.pieces.append(f"]({target})" if target else "")
        elif tag in _MARKS:
            self.pieces.append(_MARKS[tag])
        elif tag in _BLOCKS:
            if self._lists[-1:] == [tag]:
                self._lists.pop()
            self.pieces.append("\n\n")
        elif tag not in ("u", "span", "li", "br", "a"):
            self.pieces.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    def handle_comment(self, data: str) -> None:
        """Comments are dropped: browsers do not show them."""

    def _open_block(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self._lists.append(tag)
        self.pieces.append("\n\n" + ("#" * int(tag[1]) + " " if tag[0] == "h" and tag[1:].isdecimal() else ""))
