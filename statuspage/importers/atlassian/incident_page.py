"""Read an old incident from its web page, for servers without `/incidents/<id>.json` (contract 2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

from incidents.transfer.records import public_id_for
from statuspage.importers.fields import BadObject

_VOID = {"br", "img", "hr", "meta", "link", "input", "wbr"}
_IMPACT = re.compile(r"\bimpact-([a-z_]+)")


def incident(html: str, public_id: str) -> dict[str, Any]:
    """Return the incident in the format of its JSON. Raise BadObject if this is not the page of an incident."""
    page = _Page()
    page.feed(html)
    page.close()
    updates = [row for row in page.updates if row.get("unix", "").isdecimal()]
    if not page.title.strip() or not updates:
        raise BadObject("neither its JSON nor its page can be read")
    rows = [_update(row, public_id) for row in updates]
    fields = {"id": public_id, "name": page.title, "status": rows[0]["status"], "impact": page.impact}
    return {**fields, "incident_updates": rows}


def _update(row: dict[str, str], incident_id: str) -> dict[str, Any]:
    at = datetime.fromtimestamp(int(row["unix"]) / 1000, UTC).isoformat()
    status = "_".join(row.get("title", "").lower().split())
    body = row.get("body", "").strip()
    return {"id": public_id_for(incident_id, at, status, body), "status": status, "body": body, "display_at": at}


class _Page(HTMLParser):
    """Collects the texts by the class of the surrounding element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.impact = ""
        self.updates: list[dict[str, str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        if "update-row" in classes:
            self.updates.append({})
        if "incident-name" in classes and (match := _IMPACT.search(values["class"])):
            self.impact = match[1]
        if self.updates and values.get("data-datetime-unix"):
            self.updates[-1].setdefault("unix", values["data-datetime-unix"])
        if tag == "br":
            self.handle_data("\n")
        if tag not in _VOID:
            self._open.append(next((role for name, role in _ROLES.items() if name in classes), self._role))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._role == "name":
            self.title += data
        elif self._role and self.updates:
            row = self.updates[-1]
            row[self._role] = row.get(self._role, "") + data

    @property
    def _role(self) -> str:
        return self._open[-1] if self._open else ""


_ROLES = {"incident-name": "name", "update-title": "title", "whitespace-pre-wrap": "body", "update-timestamp": "time"}
