"""Import postmortems."""

from __future__ import annotations

from typing import Any

from incidents.models import Incident, Postmortem, Revision
from incidents.text import markdown
from incidents.transfer.comparison import is_newer_here
from incidents.transfer.import_incident_fields import written_at
from incidents.transfer.import_texts import EDITED_BY, import_text
from incidents.transfer.records import IncomingIncident


def has_newer_postmortem(incident: Incident, incoming: IncomingIncident) -> bool:
    if incoming.postmortem is None:
        return False
    postmortem = Postmortem.objects.filter(incident=incident).first()
    if postmortem is None:
        return True
    text = import_text(incoming.postmortem.body, []).body
    imported_at = incoming.postmortem.updated_at or incoming.postmortem.published_at
    return bool(text) and postmortem.body != text and not is_newer_here(postmortem.updated_at, imported_at)


def upsert_postmortem(incident: Incident, incoming: IncomingIncident, notes: list[str]) -> None:
    record = incoming.postmortem
    if record is None:
        return
    text = import_text(record.body, notes)
    draft = import_text(record.draft, notes).body or text.body
    updated_at = record.updated_at or record.published_at or written_at(incoming)
    postmortem, is_created = Postmortem.objects.get_or_create(
        incident=incident, defaults={"created_at": record.created_at or updated_at, "updated_at": updated_at}
    )
    fields: dict[str, Any] = {"draft": draft, "updated_at": updated_at, "published_at": record.published_at}
    if not is_created and postmortem.body and text.body != postmortem.body:
        Revision.objects.create(
            postmortem=postmortem,
            body=postmortem.body,
            change_html=markdown.change_html(postmortem.body, text.body),
            actor_label=EDITED_BY,
            created_at=updated_at,
        )
        fields |= {"edited_at": updated_at, "version": postmortem.version + 1}
    Postmortem.objects.filter(pk=postmortem.pk).update(body=text.body, body_html=text.html, **fields)
