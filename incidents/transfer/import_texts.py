"""Import texts."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError

from incidents.text import markdown

EDITED_BY = "Import"


@dataclass(frozen=True)
class ImportedText:
    body: str
    html: str


def import_text(body: str, notes: list[str]) -> ImportedText:
    """Return `body` and its HTML. A text that cannot be rendered is kept without formatting, with a note."""
    text = body.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    text = text.translate(dict.fromkeys((0, 2, 3)))
    if not text:
        return ImportedText("", "")
    try:
        return ImportedText(text, markdown.render(text))
    except ValidationError as error:
        notes.append(f"a text is shown without formatting: {' '.join(error.messages)}")
        return ImportedText(text, markdown.plain(text))
