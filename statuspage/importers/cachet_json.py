"""Convert the JSON:API documents of Cachet 3 to the format of Cachet 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def has_next(document: Mapping[str, Any]) -> bool:
    pagination = (document.get("meta") or {}).get("pagination") or {}
    links = document.get("links") or {}
    return bool((pagination.get("links") or {}).get("next_page") or links.get("next"))


def related(document: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    rows = document.get("included")
    objects = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {(str(row.get("type")), str(row.get("id"))): row for row in objects}


def plain(row: object, included: Mapping[tuple[str, str], Any]) -> object:
    """Return a JSON:API object with its attributes at the top level.

    `{value, human}` becomes the value, and a time gets the name that it has in Cachet 2.
    """
    if not isinstance(row, dict) or not isinstance(row.get("attributes"), dict):
        return row
    flat: dict[str, Any] = {"id": row.get("id")}
    for name, value in row["attributes"].items():
        if isinstance(value, dict) and "string" in value:
            flat[f"{name}_at"] = value["string"]
        else:
            flat[name] = value.get("value") if isinstance(value, dict) and "value" in value else value
    for name, relation in (row.get("relationships") or {}).items():
        data = relation.get("data") if isinstance(relation, dict) else None
        if isinstance(data, dict):
            flat.setdefault(f"{name}_id", data.get("id"))
        elif isinstance(data, list):
            keys = [(str(item.get("type")), str(item.get("id"))) for item in data if isinstance(item, dict)]
            flat[name] = [plain(included[key], {}) for key in keys if key in included]
    return flat
