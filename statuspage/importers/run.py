"""Run an import, whatever the source.

Each record is written at once. An import that was interrupted can be started again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from incidents.models import Component, Incident, Page
from incidents.models.states import Kind
from incidents.transfer.import_components import upsert_component, upsert_group
from incidents.transfer.import_incidents import upsert_incident
from incidents.transfer.import_metrics import upsert_metric
from incidents.transfer.import_pages import upsert_page
from incidents.transfer.import_runs import finish_import
from incidents.transfer.import_templates import upsert_template
from incidents.transfer.records import (
    ImportOutcome,
    ImportResult,
    IncomingComponent,
    IncomingGroup,
    IncomingIncident,
    IncomingMetric,
    IncomingTemplate,
)
from statuspage.importers.source import IsSettled, Record, Source
from statuspage.subscribers.importing import upsert_subscriber


@dataclass(frozen=True)
class ImportOptions:
    """`into` None: the page with the same public id, created if there is none. `again`: read settled incidents too."""

    into: Page | None = None
    dry: bool = False
    again: bool = False


def run_import(source: Source, options: ImportOptions) -> Page:
    """Import everything from `source`. Return the page: unsaved, if this is a dry run and there is no page yet."""
    report = source.report
    page = _page(source, options)
    importer = _Importer(page, dry=options.dry)
    try:
        for number, record in enumerate(source.records(_is_settled(page, options)), start=1):
            kind, name = _names(record)
            report.add(kind, name, importer.upsert(record))
            report.progress("records", number, source.expected)
    finally:
        # After an error or ^C too, for the records that were written.
        if not options.dry:
            details = {"source": source.name, "read": report.counts}
            finish_import(page, source=source.name, details=details, is_changed=report.written > 0)
    return page


def _page(source: Source, options: ImportOptions) -> Page:
    incoming = source.page()
    if options.into:
        return options.into
    if options.dry:
        page = Page.objects.filter(public_id=incoming.public_id).first()
        source.report.add(
            "pages", incoming.name, ImportResult(ImportOutcome.UNCHANGED if page else ImportOutcome.CREATED)
        )
        return page or Page(public_id=incoming.public_id, name=incoming.name, time_zone=incoming.time_zone)
    page, result = upsert_page(incoming)
    source.report.add("pages", f"page {incoming.name}", result)
    return page


class _Importer:
    """Writes records to one page."""

    def __init__(self, page: Page, *, dry: bool) -> None:
        self._page = page
        self._dry = dry
        self._components_of_incidents: dict[str, Component] = {}

    def upsert(self, record: Record) -> ImportResult:
        page, dry = self._page, self._dry
        if isinstance(record, IncomingIncident):
            return upsert_incident(page, record, components=self._components_of_incidents, dry=dry)
        if page._state.adding:
            return ImportResult(ImportOutcome.CREATED)
        if isinstance(record, IncomingGroup):
            return upsert_group(page, record, dry=dry)
        if isinstance(record, IncomingComponent):
            return upsert_component(page, record, dry=dry)
        if isinstance(record, IncomingTemplate):
            return upsert_template(page, record, dry=dry)
        if isinstance(record, IncomingMetric):
            return upsert_metric(page, record, dry=dry)
        return upsert_subscriber(page, record, components=self._components, dry=dry)

    @cached_property
    def _components(self) -> dict[str, Component]:
        """All components of the page by public id. First read after they were imported."""
        return {component.public_id: component for component in self._page.components.all()}


def _names(record: Record) -> tuple[str, str]:
    """Return the kind of `record` for the table and its name for messages."""
    if isinstance(record, IncomingIncident):
        kind = "maintenances" if record.kind == Kind.MAINTENANCE else "incidents"
        return kind, f"{record.kind} {record.public_id} “{record.title[:60]}”"
    if isinstance(record, IncomingGroup):
        return "groups", f"group {record.name}"
    if isinstance(record, IncomingComponent):
        return "components", f"component {record.name}"
    if isinstance(record, IncomingTemplate):
        return "templates", f"template {record.public_id}"
    if isinstance(record, IncomingMetric):
        return "metrics", f"metric {record.name}"
    # No address: the output may be stored.
    return "subscribers", f"subscriber {record.public_id}"


def _is_settled(page: Page, options: ImportOptions) -> IsSettled:
    def is_settled(public_id: str) -> bool:
        if options.again or page.pk is None:
            return False
        return Incident.objects.ended().filter(page=page, public_id=public_id).exists()

    return is_settled
