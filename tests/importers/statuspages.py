"""A Statuspage on loopback, in the contract's shapes: the public v2 API, its history, and the management API v1."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.receivers import ReceivedRequest, Receiver, Reply

PAGE_ID = "kctbh9vrtdwd"
Raw = dict[str, Any]


def stamp(at: datetime) -> str:
    """Three fractional digits and Z, as Statuspage writes them for a page in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def component(code: str, name: str, *, status: str = "operational", group: str | None = None, **more: Any) -> Raw:
    made = {"created_at": "2017-01-31T20:05:05.370Z", "updated_at": "2024-08-27T23:26:32.478Z"}
    return {
        "id": code,
        "name": name,
        "status": status,
        **made,
        "position": 1,
        "description": None,
        "showcase": True,
        "start_date": "2017-01-31",
        "group_id": group,
        "page_id": PAGE_ID,
        "group": False,
        "only_show_if_degraded": False,
        **more,
    }


def group(code: str, name: str, members: list[str]) -> Raw:
    return component(code, name) | {"start_date": None, "group": True, "components": members}


def affected(code: str, name: str, old: str, new: str) -> Raw:
    return {"code": code, "name": name, "old_status": old, "new_status": new}


def update(code: str, incident: str, status: str, at: str, body: str, rows: list[Raw] | None = None) -> Raw:
    return {
        "id": code,
        "status": status,
        "body": body,
        "incident_id": incident,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": rows,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }


def incident(code: str, name: str, updates: list[Raw], **more: Any) -> Raw:
    """`updates` newest first, as Statuspage lists them."""
    newest, oldest = updates[0], updates[-1]
    ended = newest["status"] in ("resolved", "completed")
    return {
        "id": code,
        "name": name,
        "status": newest["status"],
        "created_at": oldest["created_at"],
        "updated_at": newest["updated_at"],
        "monitoring_at": next((row["display_at"] for row in updates if row["status"] == "monitoring"), None),
        "resolved_at": newest["display_at"] if ended else None,
        "impact": "major",
        "shortlink": "https://stspg.io/w5x0b3hl3m3r",
        "started_at": oldest["display_at"],
        "page_id": PAGE_ID,
        "incident_updates": updates,
        "components": [],
        "reminder_intervals": None,
        **more,
    }


def outage(code: str, at: datetime, *, hours: float = 1, api: str = "8l4ygp009s5s", name: str = "API outage") -> Raw:
    """A resolved incident in which the component `api` had a partial outage, with three updates."""
    times = [stamp(at + timedelta(hours=part * hours)) for part in (0, 0.5, 1)]
    rows = [("operational", "partial_outage"), ("partial_outage", "operational"), ("operational", "operational")]
    changes = [[affected(api, "API", old, new)] for old, new in rows]
    statuses = ["investigating", "monitoring", "resolved"]
    texts = ["We are **looking**.", "A fix is in place.", "This incident has been resolved."]
    updates = [
        update(f"{prefix}{code[1:]}", code, status, at, text, row)
        for prefix, status, at, text, row in zip("cba", statuses, times, texts, changes, strict=True)
    ]
    return incident(code, name, updates[::-1])


class FakeStatuspage(Receiver):
    """`incidents` newest first, maintenances among them. `broken` answers a path as it is told, whatever is there."""

    def __init__(self) -> None:
        super().__init__()
        self.page: Raw = {
            "id": PAGE_ID,
            "name": "Acme",
            "url": "https://status.acme.example",
            "time_zone": "Etc/UTC",
            "updated_at": "2024-09-17T08:08:17.044Z",
        }
        self.components: list[Raw] = [component("8l4ygp009s5s", "API")]
        self.incidents: list[Raw] = []
        self.subscribers: dict[str, list[Raw]] = {}
        self.lists: dict[str, list[Raw]] = {}
        self.postmortems: dict[str, Raw] = {}
        self.broken: dict[str, Reply] = {}
        self.responder = self.serve

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requested_paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def serve(self, received: ReceivedRequest) -> Reply:
        parts = urlsplit(received.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        for known in (received.path, parts.path):
            if known in self.broken:
                return self.broken[known]
        if parts.path.startswith("/v1/"):
            return self._managed(received, parts.path, query)
        return self._public(parts.path, query)

    def _public(self, path: str, query: Mapping[str, str]) -> Reply:
        planned = [row for row in self.incidents if "scheduled_for" in row]
        others = [row for row in self.incidents if "scheduled_for" not in row]
        over = ("resolved", "completed", "postmortem")
        documents: dict[str, Raw] = {
            "/api/v2/components.json": {"components": self.components},
            "/api/v2/incidents.json": {"incidents": others[:50]},
            "/api/v2/scheduled-maintenances.json": {"scheduled_maintenances": planned[:50]},
            "/api/v2/summary.json": {
                "components": self.components,
                "incidents": [row for row in others if row["status"] not in over],
                "scheduled_maintenances": [row for row in planned if row["status"] not in over],
                "status": {"indicator": "none", "description": "All Systems Operational"},
            },
        }
        if path in documents:
            return as_json({"page": self.page, **documents[path]})
        if path == "/history.json":
            return as_json({"months": self._months(int(query.get("page", "1")))})
        code = path.removeprefix("/incidents/").removesuffix(".json")
        document = next((row for row in self.incidents if row["id"] == code), None)
        return as_json(document) if document and path.endswith(".json") else Reply(404, b"<html>Not found</html>")

    def _months(self, page: int) -> list[Raw]:
        """Three to a page, the newest first; the newest is November 2024."""
        last = 2024 * 12 + 10 - (page - 1) * 3
        return [self._month(number) for number in range(last, last - 3, -1)]

    def _month(self, number: int) -> Raw:
        year, month = divmod(number, 12)
        prefix = f"{year}-{month + 1:02}"
        rows = [
            {"code": row["id"], "name": row["name"], "impact": row["impact"]}
            for row in self.incidents
            if row["created_at"].startswith(prefix)
        ]
        return {"name": datetime(year, month + 1, 1, tzinfo=UTC).strftime("%B"), "year": year, "incidents": rows}

    def _managed(self, received: ReceivedRequest, path: str, query: Mapping[str, str]) -> Reply:
        if received.headers.get("authorization") != "OAuth sesame":
            return Reply(401, b'{"error": "Could not authenticate"}')
        base = f"/v1/pages/{PAGE_ID}"
        if path == base:
            return as_json(self.page)
        name = path.removeprefix(f"{base}/")
        if name.endswith("/postmortem"):
            return as_json(self.postmortems[name.split("/")[1]])
        size = int(query.get("limit") or query.get("per_page") or 100)
        first = int(query.get("page", "1")) - (0 if name.startswith("subscribers") else 1)
        return as_json(list(self._rows(name, query))[first * size :][:size])

    def _rows(self, name: str, query: Mapping[str, str]) -> Iterator[Raw]:
        yield from {
            "components": [row for row in self.components if not row["group"]],
            "component-groups": [row for row in self.components if row["group"]],
            "incidents": self.incidents,
            "subscribers": self.subscribers.get(query.get("state", ""), []),
            "subscribers/unsubscribed": self.subscribers.get("unsubscribed", []),
        }.get(name, self.lists.get(name, []))


def as_json(document: object) -> Reply:
    return Reply(body=json.dumps(document).encode(), headers={"Content-Type": "application/json; charset=utf-8"})
