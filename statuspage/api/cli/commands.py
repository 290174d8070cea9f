"""What each command asks of the server, and the lines that it prints."""

import argparse
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from statuspage.api.cli.client import NOT_WELL, REFUSED, USAGE, Server, Trouble

Json = dict[str, Any]
# What was answered, its lines for people, and the exit code.
Outcome = tuple[Any, list[str], int]
Command = Callable[[Server, argparse.Namespace], Outcome]

ALL_COMPONENTS = 1100


def open_incident(server: Server, asked: argparse.Namespace) -> Outcome:
    incident: Json = {"name": asked.name, "status": asked.status, "deliver_notifications": not asked.quiet}
    incident |= {"impact_override": asked.impact} if asked.impact else {}
    return _posted(server, "POST", "/incidents", incident | _said(server, asked))


def update_incident(server: Server, asked: argparse.Namespace) -> Outcome:
    incident: Json = {"deliver_notifications": not asked.quiet} | _said(server, asked)
    incident |= {"status": asked.status} if asked.status else {}
    if not incident.keys() & {"status", "body", "components"}:
        raise Trouble("Say what is new: --body, --status or --component.", USAGE)
    return _posted(server, "PATCH", f"/incidents/{asked.id}", incident)


def resolve_incident(server: Server, asked: argparse.Namespace) -> Outcome:
    incident: Json = {"status": "resolved", "deliver_notifications": not asked.quiet} | _said(server, asked)
    if asked.restore:
        named = server.of_page("GET", f"/incidents/{asked.id}")["components"]
        restored = {one["id"]: "operational" for one in named}
        incident["components"] = restored | incident.get("components", {})
    return _posted(server, "PATCH", f"/incidents/{asked.id}", incident)


def list_incidents(server: Server, asked: argparse.Namespace) -> Outcome:
    path = {"open": "/unresolved", "upcoming": "/upcoming", "all": ""}[asked.show]
    found = server.of_page("GET", f"/incidents{path}", limit=asked.limit)
    return found, [_line(one) for one in found] or ["There is none."], 0


def set_component(server: Server, asked: argparse.Namespace) -> Outcome:
    component = _component(_components(server), asked.component)
    body = {"component": {"status": asked.status}}
    changed = server.of_page("PATCH", f"/components/{component['id']}", body)
    return changed, [f"{changed['name']}: {changed['status']}"], 0


def list_components(server: Server, asked: argparse.Namespace) -> Outcome:
    found = _components(server)
    return found, [f"{one['id']}  {one['status']:<21} {one['name']}" for one in found] or ["There is none."], 0


def schedule(server: Server, asked: argparse.Namespace) -> Outcome:
    by_itself = not asked.by_hand
    incident = {
        "name": asked.name,
        "status": "scheduled",
        "scheduled_for": _moment(asked.start),
        "scheduled_until": _moment(asked.end),
        "scheduled_auto_in_progress": by_itself,
        "scheduled_auto_completed": by_itself,
        "auto_transition_to_maintenance_state": by_itself,
        "auto_transition_to_operational_state": by_itself,
        "scheduled_remind_prior": not asked.quiet,
        "deliver_notifications": not asked.quiet,
    }
    return _posted(server, "POST", "/incidents", incident | _said(server, asked))


def status(server: Server, asked: argparse.Namespace) -> Outcome:
    """What is not well, or one line if all is."""
    troubled = [one for one in _components(server) if one["status"] != "operational"]
    unresolved = server.of_page("GET", "/incidents/unresolved")
    running = server.of_page("GET", "/incidents/active_maintenance")
    lines = [f"{one['name']}: {one['status']}" for one in troubled]
    lines += [_line(one) for one in (*unresolved, *running)]
    found = {"components": troubled, "incidents": unresolved, "maintenances": running}
    return found, lines or ["All components are operational, and no incident is open."], _health(lines, asked)


def publish(server: Server, asked: argparse.Namespace) -> Outcome:
    """The draft as it stands, or the text of a file."""
    path = f"/incidents/{asked.id}/postmortem"
    if asked.file:
        server.of_page("PUT", path, {"postmortem": {"body_draft": _text(asked.file)}})
    body = {"postmortem": {"notify_subscribers": not asked.quiet}}
    published = server.of_page("PUT", f"{path}/publish", body)
    return published, [f"The postmortem of {asked.id} is published."], 0


def _health(lines: list[str], asked: argparse.Namespace) -> int:
    return NOT_WELL if lines and asked.exit_code else 0


def _posted(server: Server, method: str, path: str, incident: Json) -> Outcome:
    done = server.of_page(method, path, {"incident": incident})
    return done, [_line(done), done["shortlink"]], 0


def _line(incident: Json) -> str:
    when = f", {incident['scheduled_for']} to {incident['scheduled_until']}" if incident["scheduled_for"] else ""
    return f"{incident['id']}  {incident['status']:<13} {incident['name']}{when}"


def _said(server: Server, asked: argparse.Namespace) -> Json:
    """Text and components, as far as they were given."""
    said: Json = {"body": _text("-") if asked.body == "-" else asked.body} if asked.body else {}
    if asked.component:
        known = _components(server)
        pairs = (_pair(one) for one in asked.component)
        said["components"] = {_component(known, name)["id"]: new for name, new in pairs}
    return said


def _pair(text: str) -> tuple[str, str]:
    """`API=partial_outage`; without a status, it is only named."""
    name, _, new = text.rpartition("=") if "=" in text else (text, "", "")
    return name, new


def _components(server: Server) -> list[Json]:
    found: list[Json] = server.of_page("GET", "/components", per_page=ALL_COMPONENTS)
    return found


def _component(known: Iterable[Json], asked: str) -> Json:
    """By its id or its name."""
    found = [one for one in known if asked == one["id"] or asked.lower() == one["name"].lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise Trouble(f"Several components are named {asked}: {', '.join(one['id'] for one in found)}.", REFUSED)
    raise Trouble(f"There is no component named {asked}. `candor component list` shows all.", REFUSED)


def _moment(text: str) -> str:
    """An ISO 8601 time; without an offset it is this machine's."""
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError):
        raise Trouble(f"{text} is not a time. Write it as 2026-01-31T14:00 or 2026-01-31T14:00Z.", USAGE) from None


def _text(name: str) -> str:
    """Of a file, or of what is piped in for `-`."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"{name} cannot be read: {error}", USAGE) from None
