"""One import, from the first page of another product to the last: what every source shares.

What was written stays written: a run that was cut off is simply started again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from incidents.actor import Actor
from incidents.models import Incident, Page
from incidents.transfer.import_incidents import IncidentImporter
from incidents.transfer.import_metrics import upsert_metric
from incidents.transfer.import_pages import record_import, upsert_component, upsert_group, upsert_page
from incidents.transfer.import_status_history import newest_affected, rebuild_status_history, rebuilt_so_far
from incidents.transfer.import_templates import upsert_template
from incidents.transfer.records import (
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingPage,
    IncomingTemplate,
    Outcome,
    Result,
    is_public_id,
    public_id_for,
)
from statuspage.importers.report import Report
from statuspage.subscribers.importing import IncomingSubscriber, upsert_subscriber

IsSettled = Callable[[str], bool]
Progress = Callable[[str, int, int], None]


class Source(Protocol):
    """Another product, read from the top down. What cannot be read is reported by the source, and the rest goes on.

    SourceError: nothing of it can be read at all.
    """

    name: str
    report: Report
    # How many incidents there are, once that is known; for the progress bar.
    expected: int

    def page(self) -> IncomingPage: ...
    def groups(self) -> Iterable[IncomingGroup]: ...
    def components(self) -> Iterable[IncomingComponent]: ...

    def incidents(self, is_settled: IsSettled) -> Iterable[IncomingIncident]:
        """`is_settled`: whether the incident of that code is here and over, so that it need not be asked for."""

    def templates(self) -> Iterable[IncomingTemplate]: ...
    def metrics(self) -> Iterable[IncomingMetric]: ...
    def subscribers(self) -> Iterable[IncomingSubscriber]: ...


@dataclass(frozen=True)
class Options:
    """`into` None: the page of the same code, made if there is none. `again`: ask for what is settled, too."""

    into: Page | None = None
    dry: bool = False
    again: bool = False


def run_import(source: Source, options: Options, progress: Progress) -> Page:
    """Bring all of `source`, and return the page (an unsaved one on a dry run, if there is none yet)."""
    page = _page(source, options)
    actor = Actor("system", "import", f"Import from {source.name}"[:200])
    folded = rebuilt_so_far(page) if page.pk else 0
    try:
        _bring_all(source, page, options, progress)
    finally:
        # Also of what came before an error or ^C.
        if not options.dry:
            _finish(source, page, actor, folded)
    return page


def _finish(source: Source, page: Page, actor: Actor, folded: int) -> None:
    newest = newest_affected(page)
    changed = rebuild_status_history(page, after=folded)
    if changed or source.report.written:
        details = {"source": source.name, "read": source.report.as_json(), "folded": newest}
        record_import(page, actor=actor, details=details)


def _page(source: Source, options: Options) -> Page:
    incoming = source.page()
    if options.into:
        return options.into
    if options.dry:
        code = incoming.code if is_public_id(incoming.code) else public_id_for("page", incoming.code)
        found = Page.objects.filter(public_id=code).first()
        source.report.add("pages", incoming.name, Result(Outcome.UNCHANGED if found else Outcome.CREATED))
        return found or Page(public_id=code, name=incoming.name, time_zone=incoming.time_zone)
    page, result = upsert_page(incoming)
    source.report.add("pages", f"page {incoming.name}", result)
    return page


def _bring_all(source: Source, page: Page, options: Options, progress: Progress) -> None:
    report, dry = source.report, options.dry
    is_new = page.pk is None
    for group in source.groups():
        report.add("groups", f"group {group.name}", _made() if is_new else upsert_group(page, group, dry=dry))
    for component in source.components():
        result = _made() if is_new else upsert_component(page, component, dry=dry)
        report.add("components", f"component {component.name}", result)
    timelines = IncidentImporter(page, dry=dry)
    for number, incident in enumerate(source.incidents(_settled(page, options)), start=1):
        kind = "maintenances" if incident.kind == "maintenance" else "incidents"
        report.add(kind, f"{incident.kind} {incident.code} “{incident.title[:60]}”", timelines.bring(incident))
        progress("incidents", number, source.expected)
    for template in source.templates():
        report.add(
            "templates", f"template {template.code}", _made() if is_new else upsert_template(page, template, dry=dry)
        )
    for metric in source.metrics():
        report.add("metrics", f"metric {metric.name}", _made() if is_new else upsert_metric(page, metric, dry=dry))
    components = {} if is_new else {one.public_id: one for one in page.components.all()}
    for number, subscriber in enumerate(source.subscribers(), start=1):
        # Nobody's address: what is printed may be kept.
        name = f"subscriber {subscriber.code}"
        result = _made() if is_new else upsert_subscriber(page, subscriber, components=components, dry=dry)
        report.add("subscribers", name, result)
        progress("subscribers", number, 0)


def _made() -> Result:
    return Result(Outcome.CREATED)


def _settled(page: Page, options: Options) -> IsSettled:
    def is_settled(code: str) -> bool:
        if options.again or page.pk is None:
            return False
        return Incident.objects.ended().filter(page=page, public_id=code).exists()

    return is_settled
