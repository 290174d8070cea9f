"""The arguments of the command line."""

import argparse

from statuspage.api.cli import commands
from statuspage.api.cli.commands import Command

COMPONENT = ["operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"]
INCIDENT = ["investigating", "identified", "monitoring"]
STEPS = [*INCIDENT, "resolved", "scheduled", "in_progress", "verifying", "completed"]
IMPACT = ["none", "minor", "major", "critical"]
JSON_HELP = "print the server's response as JSON"
SHELLS = ["bash", "zsh", "fish"]

EPILOGUE = """\
Environment: CANDOR_URL is the URL of your Candor, CANDOR_TOKEN an API token that an owner created in the console.
Exit codes: 0 success, 1 rejected by the server, 2 wrong usage, 3 token invalid or without the scope,
4 server unreachable (try again later), 10 an incident is open or a component is not operational
(candor status --exit-code)"""


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="candor",
        description="Update a status page from a script.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--json", action="store_true", help=JSON_HELP)
    kinds = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _incident(kinds.add_parser("incident", help="open, update, resolve and list incidents"))
    _component(kinds.add_parser("component", help="set and list components"))
    _maintenance(kinds.add_parser("maintenance", help="schedule maintenances"))
    command = _command(kinds, "status", commands.status, "show what is not operational")
    command.add_argument("--exit-code", action="store_true", help="exit with 10 if something is not operational")
    command = _command(kinds, "publish", commands.publish, "publish an incident's postmortem")
    command.add_argument("id", help="the incident's id")
    command.add_argument("--file", help="publish the text of this file (- for standard input) instead of the draft")
    _add_quiet(command)
    shell = kinds.add_parser("completion", help="print a completion script for your shell")
    shell.add_argument("shell", choices=SHELLS)
    return root


def _incident(kind: argparse.ArgumentParser) -> None:
    verbs = kind.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = _command(verbs, "open", commands.open_incident, "open an incident")
    command.add_argument("name", help="title")
    command.add_argument("--status", choices=INCIDENT, default="investigating")
    command.add_argument("--impact", choices=IMPACT, help="default: computed from the components")
    _add_update_arguments(command)
    command = _command(verbs, "update", commands.update_incident, "post an update")
    command.add_argument("id")
    command.add_argument("--status", choices=STEPS)
    _add_update_arguments(command)
    command = _command(verbs, "resolve", commands.resolve_incident, "resolve an incident")
    command.add_argument("id")
    command.add_argument("--restore", action="store_true", help="set its components to operational")
    _add_update_arguments(command)
    command = _command(verbs, "list", commands.list_incidents, "list incidents, newest first")
    command.add_argument("--show", choices=["open", "upcoming", "all"], default="open")
    command.add_argument("--limit", type=int, default=20)


def _component(kind: argparse.ArgumentParser) -> None:
    verbs = kind.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = _command(verbs, "set", commands.set_component, "set a component's status")
    command.add_argument("component", help="name or id")
    command.add_argument("status", choices=COMPONENT)
    _command(verbs, "list", commands.list_components, "list components")


def _maintenance(kind: argparse.ArgumentParser) -> None:
    verbs = kind.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command = _command(verbs, "schedule", commands.schedule, "schedule a maintenance")
    command.add_argument("name", help="title")
    command.add_argument(
        "--start", required=True, help="example: 2026-01-31T14:00Z; default time zone: that of this machine"
    )
    command.add_argument("--end", required=True)
    command.add_argument("--by-hand", action="store_true", help="do not start and end it automatically")
    _add_update_arguments(command)


def _add_update_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--body", help="text of the update; - reads standard input")
    command.add_argument("--component", action="append", metavar="NAME[=STATUS]", help="can be repeated")
    _add_quiet(command)


def _add_quiet(command: argparse.ArgumentParser) -> None:
    command.add_argument("--quiet", action="store_true", help="do not notify subscribers")


def _command(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, description: str
) -> argparse.ArgumentParser:
    command = verbs.add_parser(name, help=description, description=f"{description.capitalize()}.")
    command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)
    command.set_defaults(run=run)
    return command
