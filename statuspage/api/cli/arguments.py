"""What can be typed."""

import argparse

from statuspage.api.cli import commands
from statuspage.api.cli.commands import Command

COMPONENT = ["operational", "under_maintenance", "degraded_performance", "partial_outage", "major_outage"]
INCIDENT = ["investigating", "identified", "monitoring"]
STEPS = [*INCIDENT, "resolved", "scheduled", "in_progress", "verifying", "completed"]
IMPACT = ["none", "minor", "major", "critical"]
AS_IT_IS = "print the server's answer as it is"
SHELLS = ["bash", "zsh", "fish"]

EPILOGUE = """\
CANDOR_URL is the address of your Candor, CANDOR_TOKEN a token that an owner made in the console.
exit codes: 0 done, 1 refused by the server, 2 wrong usage, 3 the token may not, 4 unreachable (try again later),
10 something is not well (candor status --exit-code)"""


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(
        prog="candor",
        description="Tell a status page what happens, from a script.",
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--json", action="store_true", help=AS_IT_IS)
    kinds = root.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _incident(kinds.add_parser("incident", help="open, update, resolve and list incidents"))
    _component(kinds.add_parser("component", help="set and list components"))
    _maintenance(kinds.add_parser("maintenance", help="schedule maintenances"))
    one = _command(kinds, "status", commands.status, "what is not well now")
    one.add_argument("--exit-code", action="store_true", help="exit with 10 if something is not well")
    one = _command(kinds, "publish", commands.publish, "publish an incident's postmortem")
    one.add_argument("id", help="the incident's id")
    one.add_argument("--file", help="take the text from this file (- for what is piped in), not from the draft")
    _quiet(one)
    shell = kinds.add_parser("completion", help="print a script that completes what you type")
    shell.add_argument("shell", choices=SHELLS)
    return root


def _incident(kind: argparse.ArgumentParser) -> None:
    verbs = kind.add_subparsers(title="commands", metavar="COMMAND", required=True)
    one = _command(verbs, "open", commands.open_incident, "open an incident")
    one.add_argument("name", help="its title")
    one.add_argument("--status", choices=INCIDENT, default="investigating")
    one.add_argument("--impact", choices=IMPACT, help="if it is not to be derived from the components")
    _update(one)
    one = _command(verbs, "update", commands.update_incident, "post an update")
    one.add_argument("id")
    one.add_argument("--status", choices=STEPS)
    _update(one)
    one = _command(verbs, "resolve", commands.resolve_incident, "resolve an incident")
    one.add_argument("id")
    one.add_argument("--restore", action="store_true", help="its components are operational again")
    _update(one)
    one = _command(verbs, "list", commands.list_incidents, "list incidents, the newest first")
    one.add_argument("--show", choices=["open", "upcoming", "all"], default="open")
    one.add_argument("--limit", type=int, default=20)


def _component(kind: argparse.ArgumentParser) -> None:
    verbs = kind.add_subparsers(title="commands", metavar="COMMAND", required=True)
    one = _command(verbs, "set", commands.set_component, "set a component's status")
    one.add_argument("component", help="its name or its id")
    one.add_argument("status", choices=COMPONENT)
    _command(verbs, "list", commands.list_components, "list components")


def _maintenance(kind: argparse.ArgumentParser) -> None:
    verbs = kind.add_subparsers(title="commands", metavar="COMMAND", required=True)
    one = _command(verbs, "schedule", commands.schedule, "schedule a maintenance")
    one.add_argument("name", help="its title")
    one.add_argument("--start", required=True, help="like 2026-01-31T14:00Z; without an offset, this machine's time")
    one.add_argument("--end", required=True)
    one.add_argument("--by-hand", action="store_true", help="it neither starts nor ends by itself")
    _update(one)


def _update(one: argparse.ArgumentParser) -> None:
    one.add_argument("--body", help="the text; - reads what is piped in")
    one.add_argument("--component", action="append", metavar="NAME[=STATUS]", help="may be given several times")
    _quiet(one)


def _quiet(one: argparse.ArgumentParser) -> None:
    one.add_argument("--quiet", action="store_true", help="tell no subscriber")


def _command(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: Command, about: str
) -> argparse.ArgumentParser:
    one = verbs.add_parser(name, help=about, description=f"{about.capitalize()}.")
    one.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="print the server's answer as it is"
    )
    one.set_defaults(run=run)
    return one
