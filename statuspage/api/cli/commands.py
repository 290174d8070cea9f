"""The commands: the requests that they send, and the lines that they print."""

import argparse
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from statuspage.api.cli.client import NOT_WELL, REFUSED, USAGE, CliError, Server

Json = dict[str, Any]
# The JSON of the response, the lines to print, and the exit code.
Outcome = tuple[Any, list[str], int]
Command = Callable[[Server, argparse.Namespace], Outcome]

ALL_COMPONENTS = 1100


def open_incident(server: Server, arguments: argparse.Namespace) -> Outcome:
    incident: Json = {"name": arguments.name, "status": arguments.status, "deliver_notifications": not arguments.quiet}
    incident |= {"impact_override": arguments.impact} if arguments.impact else {}
    return _send_incident(server, "POST", "/incidents", incident | _update_fields(server, arguments))


def update_incident(server: Server, arguments: argparse.Namespace) -> Outcome:
    incident: Json = {"deliver_notifications": not arguments.quiet} | _update_fields(server, arguments)
    incident |= {"status": arguments.status} if arguments.status else {}
    if not incident.keys() & {"status", "body", "components"}:
        raise CliError("Add --body, --status or --component.", USAGE)
    return _send_incident(server, "PATCH", f"/incidents/{arguments.id}", incident)


def resolve_incident(server: Server, arguments: argparse.Namespace) -> Outcome:
    incident: Json = {"status": "resolved", "deliver_notifications": not arguments.quiet} | _update_fields(
        server, arguments
    )
    if arguments.restore:
        affected = server.request_page("GET", f"/incidents/{arguments.id}")["components"]
        restored = {component["id"]: "operational" for component in affected}
        incident["components"] = restored | incident.get("components", {})
    return _send_incident(server, "PATCH", f"/incidents/{arguments.id}", incident)


def list_incidents(server: Server, arguments: argparse.Namespace) -> Outcome:
    path = {"open": "/unresolved", "upcoming": "/upcoming", "all": ""}[arguments.show]
    incidents = server.request_page("GET", f"/incidents{path}", limit=arguments.limit)
    return incidents, [_line(incident) for incident in incidents] or ["No incidents."], 0


def set_component(server: Server, arguments: argparse.Namespace) -> Outcome:
    component = _component(_components(server), arguments.component)
    body = {"component": {"status": arguments.status}}
    changed = server.request_page("PATCH", f"/components/{component['id']}", body)
    return changed, [f"{changed['name']}: {changed['status']}"], 0


def list_components(server: Server, arguments: argparse.Namespace) -> Outcome:
    components = _components(server)
    lines = [f"{component['id']}  {component['status']:<21} {component['name']}" for component in components]
    return components, lines or ["No components."], 0


def schedule(server: Server, arguments: argparse.Namespace) -> Outcome:
    automatic = not arguments.by_hand
    incident = {
        "name": arguments.name,
        "status": "scheduled",
        "scheduled_for": _moment(arguments.start),
        "scheduled_until": _moment(arguments.end),
        "scheduled_auto_in_progress": automatic,
        "scheduled_auto_completed": automatic,
        "auto_transition_to_maintenance_state": automatic,
        "auto_transition_to_operational_state": automatic,
        "scheduled_remind_prior": not arguments.quiet,
        "deliver_notifications": not arguments.quiet,
    }
    return _send_incident(server, "POST", "/incidents", incident | _update_fields(server, arguments))


def status(server: Server, arguments: argparse.Namespace) -> Outcome:
    """Print components that are not operational and open incidents, or one line if there are none."""
    components = [component for component in _components(server) if component["status"] != "operational"]
    unresolved = server.request_page("GET", "/incidents/unresolved")
    running = server.request_page("GET", "/incidents/active_maintenance")
    lines = [f"{component['name']}: {component['status']}" for component in components]
    lines += [_line(incident) for incident in (*unresolved, *running)]
    body = {"components": components, "incidents": unresolved, "maintenances": running}
    return body, lines or ["All components are operational, and no incident is open."], _health(lines, arguments)


def publish(server: Server, arguments: argparse.Namespace) -> Outcome:
    """Publish the draft, or the text of a file."""
    path = f"/incidents/{arguments.id}/postmortem"
    if arguments.file:
        server.request_page("PUT", path, {"postmortem": {"body_draft": _text(arguments.file)}})
    body = {"postmortem": {"notify_subscribers": not arguments.quiet}}
    published = server.request_page("PUT", f"{path}/publish", body)
    return published, [f"Postmortem of {arguments.id} published."], 0


def _health(lines: list[str], arguments: argparse.Namespace) -> int:
    return NOT_WELL if lines and arguments.exit_code else 0


def _send_incident(server: Server, method: str, path: str, incident: Json) -> Outcome:
    incident = server.request_page(method, path, {"incident": incident})
    return incident, [_line(incident), incident["shortlink"]], 0


def _line(incident: Json) -> str:
    when = f", {incident['scheduled_for']} to {incident['scheduled_until']}" if incident["scheduled_for"] else ""
    return f"{incident['id']}  {incident['status']:<13} {incident['name']}{when}"


def _update_fields(server: Server, arguments: argparse.Namespace) -> Json:
    """Return the text and the components, if they were given."""
    fields: Json = {"body": _text("-") if arguments.body == "-" else arguments.body} if arguments.body else {}
    if arguments.component:
        components = _components(server)
        pairs = (_pair(text) for text in arguments.component)
        fields["components"] = {_component(components, name)["id"]: status for name, status in pairs}
    return fields


def _pair(text: str) -> tuple[str, str]:
    """Split `API=partial_outage`. Without a status, the component is named but not changed."""
    name, _, status = text.rpartition("=") if "=" in text else (text, "", "")
    return name, status


def _components(server: Server) -> list[Json]:
    components: list[Json] = server.request_page("GET", "/components", per_page=ALL_COMPONENTS)
    return components


def _component(components: Iterable[Json], name: str) -> Json:
    """Find a component by its id or its name."""
    matches = [row for row in components if name == row["id"] or name.lower() == row["name"].lower()]
    if len(matches) == 1:
        return matches[0]
    if matches:
        ids = ", ".join(component["id"] for component in matches)
        raise CliError(f"Several components are named {name}. Use one of their ids: {ids}.", REFUSED)
    raise CliError(f"There is no component named {name}. `candor component list` lists all components.", REFUSED)


def _moment(text: str) -> str:
    """Parse an ISO 8601 time. Without an offset, it is in the time zone of this machine."""
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError):
        raise CliError(f"{text} is not a valid time. Example: 2026-01-31T14:00 or 2026-01-31T14:00Z.", USAGE) from None


def _text(name: str) -> str:
    """Read a file, or standard input for `-`."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"Cannot read {name}: {error}", USAGE) from None
