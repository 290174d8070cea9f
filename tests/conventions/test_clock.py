"""The database's clock decides what is due: code reads the time from incidents/clock.py."""

import ast
from collections.abc import Iterator

from tests.conventions.code import sources

# The clock of the machine is right here, for the reason given.
ALLOWED = {
    "incidents/clock.py": "it compares both clocks",
    "statuspage/accounts/session_store.py": "sessions expire by the machine's clock, as Django's do",
    "statuspage/accounts/sessions.py": "sessions expire by the machine's clock, as Django's do",
    "statuspage/api/models.py": "created_at is of the same clock",
    "statuspage/databases/copying.py": "the copy has two databases",
    "statuspage/importers/archive.py": "the time of an export, for its reader",
    "statuspage/importers/fetching.py": "Retry-After of another server",
    "statuspage/importers/management/commands/seed_demo.py": "the time of the demo, before there is anything due",
    "statuspage/notifications/models/mail_tests.py": "started_at is of the same clock",
    "statuspage/notifications/transports/eml_files.py": "the name of a file",
    "statuspage/retention/rules.py": "files, sessions and cache entries are dated by the machine",
}
# Functions that read the machine's clock, by the name before the dot. Defaults of model fields (default=timezone.now)
# are no calls: created_at and updated_at decide nothing.
CALLS = {
    "timezone": {"now", "localtime", "localdate"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}


def machine_clock_calls(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            if node.func.attr in CALLS.get(name, ()):
                yield node.lineno


def test_only_the_listed_files_read_the_clock_of_the_machine() -> None:
    callers = {path: list(machine_clock_calls(tree)) for path, tree in sources().items()}
    assert {path: lines for path, lines in callers.items() if lines and path not in ALLOWED} == {}
    assert {path for path in ALLOWED if not callers[path]} == set()


def test_every_way_to_read_it_is_noticed() -> None:
    code = (
        "timezone.now()\ndatetime.now(UTC)\ndatetime.datetime.now()\ndate.today()\ndatetime.date.today()\nclock.now()"
    )
    assert list(machine_clock_calls(ast.parse(code))) == [1, 2, 3, 4, 5]
