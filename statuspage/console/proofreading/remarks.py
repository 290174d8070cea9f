"""Connect the console's forms to the proofreader: collect its input, and prepare its remarks for display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from incidents import clock
from incidents.actions.postmortems.finding_changes import LONGEST_LINE, MAX_FACTORS, MAX_LINES
from incidents.models import Incident, IncidentUpdate, Page
from incidents.models.states import ENDED, UNRESOLVED, ComponentStatus, Kind, Status
from incidents.proofreading import Action, PageFacts, ProofreadingOptions, Record, Remark, Severity, proofread
from incidents.status import impact_of, worst_impact
from incidents.text import markdown
from statuspage.accounts.models import User
from statuspage.console.fields import PREFIX, MomentField

MOST_ITEMS = 60
SHOWN = 80  # characters of the text that a remark quotes
LABELS = {Severity.ERROR: "Error", Severity.WARNING: "Warning", Severity.ADVICE: "Advice"}
# The status that forms without a status field set.
STATUS_OF_STEP = {"resolve": Status.RESOLVED, "complete": Status.COMPLETED, "cancel": Status.COMPLETED}


@dataclass(frozen=True)
class Subject:
    """The subject of a text: an existing or new incident, one of its updates, or its postmortem.

    `typed` holds the current values of the form, by field name without the `prefix`.
    """

    page: Page
    typed: Mapping[str, Any]
    incident: Incident | None = None
    update: IncidentUpdate | None = None
    prefix: str = ""
    is_postmortem: bool = False

    @property
    def text(self) -> str:
        """The text, cut at the maximum length of an update."""
        return str(self.typed.get("body") or "").replace("\r\n", "\n")[: markdown.MAX_BODY]

    @property
    def additional_text(self) -> str:
        """The other public texts of a postmortem: public lines of the timeline, and contributing factors."""
        rows = range(MAX_LINES) if self.is_postmortem else ()
        lines = [str(self.typed.get(f"lines-{n}-text") or "") for n in rows if self.typed.get(f"lines-{n}-is_public")]
        factors = str(self.typed.get("factors") or "").splitlines() if self.is_postmortem else []
        return "\n\n".join(line[:LONGEST_LINE] for line in (*lines, *factors[:MAX_FACTORS]) if line.strip())

    @property
    def record(self) -> Record:
        if self.is_postmortem and self.incident:
            return _of_postmortem(self.incident, self.typed)
        if self.update:
            return _of_update(self.update, self._moment("at"))
        return self._of_message()

    def _of_message(self) -> Record:
        at, incident = self._moment("at") or clock.now(), self.incident
        kind = incident.kind if incident else (Kind.MAINTENANCE if "scheduled_for" in self.typed else Kind.INCIDENT)
        if kind == Kind.MAINTENANCE:
            return self._of_maintenance(at)
        status = str(self.typed.get("status") or STATUS_OF_STEP.get(self.prefix, "") or Status.INVESTIGATING)
        record = replace(_of_incident(incident), written_at=at) if incident else Record(at, at)
        return replace(
            record,
            status=status,
            impact=self._impact(),
            resolved_at=at if status in ENDED else None,
            awaits_update=status in UNRESOLVED,
        )

    def _of_maintenance(self, at: datetime) -> Record:
        """Use the scheduled times until the maintenance has started and ended."""
        start, end = self._moment("scheduled_for"), self._moment("scheduled_until")
        if self.incident:
            start = self.incident.began_at or start or self.incident.scheduled_for
            end = self.incident.resolved_at or end or self.incident.scheduled_until
        return Record(start or at, at, resolved_at=end, kind=Kind.MAINTENANCE, status=Status.SCHEDULED)

    def _impact(self) -> str:
        chosen = str(self.typed.get("impact") or "")
        statuses = [v for name, v in self.typed.items() if name.startswith(PREFIX) and v in ComponentStatus.values]
        known = self.incident.impact if self.incident else ""
        return chosen or worst_impact([*([known] if known else []), impact_of(statuses)])

    def _moment(self, name: str) -> datetime | None:
        """Return None for an empty or invalid time. The form reports the error."""
        try:
            moment: datetime | None = MomentField(self.page.zone).clean(self.typed.get(name) or "")
        except ValidationError:
            return None
        return moment


@dataclass(frozen=True)
class RemarkLine:
    """A remark for display. `start` and `end` are offsets in UTF-16 code units, as browsers count."""

    remark: Remark
    quote: str
    start: int
    end: int

    @property
    def label(self) -> str:
        return LABELS[self.remark.severity]

    @property
    def shown(self) -> str:
        return self.quote if len(self.quote) <= SHOWN else f"{self.quote[: SHOWN - 1]}…"

    @property
    def fix(self) -> str:
        """The label of its button, or an empty string if there is no suggestion."""
        if self.remark.suggestion is None:
            return ""
        return f"{'Use' if self.quote else 'Add'} “{self.remark.suggestion.strip()}”"


def lines_about(subject: Subject) -> list[RemarkLine]:
    """Return the remarks on the subject's texts. Takes two queries, or none without a text."""
    text, additional_text = subject.text, subject.additional_text
    if not (text.strip() or additional_text):
        return []
    facts, record = facts_of(subject.page), subject.record
    additional_remarks = proofread(additional_text, replace(record, is_postmortem=False), facts)
    return [
        *(_line(text, remark) for remark in proofread(text, record, facts)),
        # No suggestions here: these texts come from several fields.
        *(_line(additional_text, replace(remark, suggestion=None)) for remark in additional_remarks),
    ]


def add_blocking_remarks(form: forms.BaseForm, subject: Subject) -> None:
    """Turn remarks into errors of the field, for the severities that block publishing on this page."""
    blocks = ProofreadingOptions.read(subject.page.proofreading).blocks
    if not blocks or "body" in form.errors:
        return
    for line in lines_about(subject):
        if line.remark.severity in blocks:
            form.add_error("body", f"“{line.shown}”: {line.remark.message}" if line.quote else line.remark.message)


def facts_of(page: Page) -> PageFacts:
    people = list(User.objects.in_order())
    return PageFacts(
        zone=page.zone,
        components=[component.name for component in page.components.active().in_page_order()],
        people=[person.name for person in people if person.name],
        emails=[person.email for person in people],
        options=ProofreadingOptions.read(page.proofreading),
    )


def typed_in(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of a form by field name without the prefix."""
    lead = f"{prefix}-" if prefix else ""
    return {name.removeprefix(lead): data[name] for name in data if name.startswith((lead, PREFIX))}


def subject_of(form: Any, page: Page) -> Subject:
    """Return the subject of a form, from its current or initial values."""
    values = {**form.initial, **(typed_in(form.data, form.prefix or "") if form.is_bound else {})}
    return Subject(
        page,
        values,
        incident=getattr(form, "incident", None),
        update=getattr(form, "update", None),
        prefix=form.prefix or "",
    )


def _line(text: str, remark: Remark) -> RemarkLine:
    start, end = (len(text[:at].encode("utf-16-le")) // 2 for at in (remark.start, remark.end))
    return RemarkLine(remark, text[remark.start : remark.end], start, end)


def _of_incident(incident: Incident) -> Record:
    begins = incident.happened_at
    return Record(
        begins,
        clock.now(),
        resolved_at=incident.resolved_at,
        impact_started_at=incident.impact_started_at,
        kind=incident.kind,
        status=incident.status,
        impact=incident.impact,
    )


def _of_update(update: IncidentUpdate, at: datetime | None) -> Record:
    """Expect the time of the next update only in the latest update."""
    incident = update.incident
    is_newest = incident.last_update_at == update.display_at
    return replace(
        _of_incident(incident),
        written_at=at or update.display_at,
        status=update.status,
        awaits_update=is_newest and incident.status in UNRESOLVED,
    )


def _of_postmortem(incident: Incident, typed: Mapping[str, Any]) -> Record:
    return replace(
        _of_incident(incident), is_postmortem=True, actions=_actions(typed), shorthand_at=incident.happened_at
    )


def _actions(typed: Mapping[str, Any]) -> Sequence[Action]:
    """Return the action items of the rows that have a text."""
    rows = (
        [str(typed.get(f"items-{n}-{name}") or "") for name in ("text", "owner", "due_on")] for n in range(MOST_ITEMS)
    )
    return [Action(text, owner, _date(due)) for text, owner, due in rows if text.strip()]


def _date(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
