"""Moving in: texts, which are kept whatever is in them, and postmortems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from incidents.models import Incident, Postmortem, Revision
from incidents.text import markdown
from incidents.transfer.import_columns import written_at
from incidents.transfer.import_pages import is_changed_here
from incidents.transfer.records import IncomingIncident

EDITED_BY = "Import"


@dataclass(frozen=True)
class Text:
    body: str
    html: str


def keep_text(body: str, notes: list[str]) -> Text:
    """Whatever was published is kept: what authors here may not write is shown as it was typed."""
    text = body.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    text = text.translate(dict.fromkeys((0, 2, 3)))
    if not text:
        return Text("", "")
    try:
        return Text(text, markdown.render(text))
    except ValidationError as error:
        notes.append(f"a text is shown without formatting: {' '.join(error.messages)}")
        return Text(text, markdown.plain(text))


def has_newer_postmortem(incident: Incident, told: IncomingIncident) -> bool:
    if told.postmortem is None:
        return False
    mine = Postmortem.objects.filter(incident=incident).first()
    if mine is None:
        return True
    text = keep_text(told.postmortem.body, []).body
    is_mine = is_changed_here(mine.updated_at, told.postmortem.updated_at or told.postmortem.published_at)
    return bool(text) and mine.body != text and not is_mine


def upsert_postmortem(incident: Incident, told: IncomingIncident, notes: list[str]) -> None:
    given = told.postmortem
    if given is None:
        return
    text = keep_text(given.body, notes)
    draft = keep_text(given.draft, notes).body or text.body
    written = given.updated_at or given.published_at or written_at(told)
    mine, made = Postmortem.objects.get_or_create(
        incident=incident, defaults={"created_at": given.created_at or written, "updated_at": written}
    )
    fields: dict[str, Any] = {"draft": draft, "updated_at": written, "published_at": given.published_at}
    if not made and mine.body and text.body != mine.body:
        change = markdown.change_html(mine.body, text.body)
        Revision.objects.create(
            postmortem=mine, body=mine.body, change_html=change, actor_label=EDITED_BY, created_at=written
        )
        fields |= {"edited_at": written, "version": mine.version + 1}
    Postmortem.objects.filter(pk=mine.pk).update(body=text.body, body_html=text.html, **fields)
