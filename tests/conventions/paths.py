"""How many source files four common paths pass through: python -m tests.conventions.paths [--files]

Each path runs once, in this process, on a temporary SQLite database and with a local SMTP server, while a profile
function records every call of a function in `incidents/` and `statuspage/`. All modules are imported beforehand, and
module bodies and migrations are not counted. `--files` lists the files in the order in which they were entered.

Files: the distinct files in which a function was called.
Files outside the views: those that were never entered while Django answered a request.
Returns: how often the path comes back to a file that it entered before, to call a function that it has not called yet,
from another file. Lambdas, comprehensions and methods such as `__init__` are not counted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from tests.conventions.code import ROOT, sources
from tests.servers import SmtpSink

CSV = """incident,title,status,at,body,components,impact
1,API down,investigating,2024-03-01 10:00,We are looking.,API=partial_outage,minor
1,API down,resolved,2024-03-01 11:00,It works again.,API=operational,minor
"""
BODY = "We found the cause."


# The names of modules and functions that these paths depend on. All other steps start from a URL or a command.


def send_mail() -> None:
    """Fan out the waiting events and deliver what is due by email, as the dispatcher does."""
    from statuspage.notifications.fan_out import fan_out_waiting
    from statuspage.notifications.worker import deliver_due

    fan_out_waiting()
    deliver_due("email")


def publish_events() -> None:
    """Publish what happened since the last time, as the dispatcher does."""
    from statuspage.public import published_paths
    from statuspage.publishing.publisher import Publisher

    Publisher(threading.Event(), published_paths).tick()


class Call(NamedTuple):
    """A call of `function` in `file` by code in `caller`, "" if no source file called it."""

    caller: str
    file: str
    function: str
    in_view: bool


class Figures(NamedTuple):
    name: str
    files: list[str]
    outside: list[str]
    returns: int


def measure(name: str, calls: list[Call]) -> Figures:
    files = list(dict.fromkeys(call.file for call in calls))
    in_views = {call.file for call in calls if call.in_view}
    entered: set[str] = set()
    known: set[tuple[str, str]] = set()
    returns = 0
    for call in calls:
        function = (call.file, call.function)
        is_plain = "<" not in call.function and "__" not in call.function
        if is_plain and call.file in entered and call.caller != call.file and function not in known:
            returns += 1
        entered.add(call.file)
        known.add(function)
    return Figures(name, files, [file for file in files if file not in in_views], returns)


@contextmanager
def recording() -> Iterator[list[Call]]:
    """The calls in this thread and in threads that start meanwhile, in order."""
    calls: list[Call] = []

    def profile(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call" and (file := source_file(frame)) and frame.f_code.co_name != "<module>":
            callers = list(outer_frames(frame))
            caller = next(filter(None, map(source_file, callers)), "")
            calls.append(Call(caller, file, frame.f_code.co_qualname, any(map(is_request_handler, callers))))

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def outer_frames(frame: FrameType) -> Iterator[FrameType]:
    outer = frame.f_back
    while outer:
        yield outer
        outer = outer.f_back


def source_file(frame: FrameType) -> str:
    """The file of `frame`, relative to the repository; "" if it is not a source file."""
    name = frame.f_code.co_filename.removeprefix(f"{ROOT}{os.sep}")
    return name if name in sources() else ""


def is_request_handler(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_name == "get_response" and code.co_filename.endswith("django/core/handlers/base.py")


def prepare() -> None:
    """Start Django on an empty database, with every module imported."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    for name in sources():
        if not name.endswith("__main__.py"):
            importlib.import_module(name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def walk(mail: SmtpSink, folder: Path) -> Iterator[Figures]:
    """The four paths, one after the other, on one page."""
    from statuspage.common.urls import console_url
    from tests.api.programs import make_program
    from tests.console.staff import fill_in, signed_in
    from tests.factories import make_component, make_incident, make_page, make_subscriber

    page = make_page()
    component = make_component(page, "API")
    make_subscriber(page, "reader@example.com")
    incident = make_incident(page)
    send_mail()
    editor, program = signed_in("editor"), make_program(page)

    shown, action = (console_url(page, name, incident.public_id) for name in ("incident", "post_update"))
    typed = {"body": BODY, f"component_{component.public_id}": "partial_outage"}
    form = fill_in(editor, shown, action, **typed)
    received = len(mail.emails)
    with recording() as calls:
        editor.post(action, form)
        send_mail()
    component.refresh_from_db()
    assert (len(mail.emails), component.status) == (received + 1, "partial_outage")
    yield measure("(i) POST of an update in the console, until the mail server has accepted the mail", calls)

    with recording() as calls:
        publish_events()
    assert any(
        BODY in path.read_text(encoding="utf-8") for path in folder.glob("public/published/*/current/index.html")
    )
    yield measure("(ii) event to published files", calls)

    body = {"name": "Errors", "status": "identified", "body": BODY, "component_ids": [component.public_id]}
    with recording() as calls:
        program.post("/incidents", {"incident": body | {"components": {component.public_id: "major_outage"}}})
    yield measure("(iii) API v1 creates an incident", calls)
    yield measure("(iv) CSV import of one incident", import_csv(folder / "incidents.csv"))


def import_csv(file: Path) -> list[Call]:
    from django.core.management import call_command

    from incidents.models import Incident

    file.write_text(CSV, encoding="utf-8")
    with recording() as calls:
        call_command("import_page", "csv", str(file), stdout=io.StringIO())
    assert Incident.objects.filter(title="API down", status="resolved").exists()
    return calls


def main() -> None:
    verbose = "--files" in sys.argv
    mail = SmtpSink()
    mail.start()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DATA_DIR": folder, "DATABASE_URL": "", "SECRET_KEY": "only-for-the-paths-" * 3, "ENV_FILE": os.devnull,
            "EMAIL_URL": mail.url, "LOG_LEVEL": "ERROR", "PUBLISHED_DIR": "", "PUBLISH_TO": "", "REDIS_URL": "",
            "SITE_URL": "http://127.0.0.1:8000", "DJANGO_SETTINGS_MODULE": "statuspage.settings",
        }  # fmt: skip
        try:
            prepare()
            for path in walk(mail, Path(folder)):
                outside = f" ({len(path.outside)} outside the views)" if path.name.startswith("(ii)") else ""
                print(f"{path.name}: {len(path.files)} files{outside}, {path.returns} returns")
                for file in path.files if verbose else ():
                    print(f"    {file}")
        finally:
            mail.stop()


if __name__ == "__main__":
    main()
