"""Between the console's forms and the proofreader: the facts that it needs, and its remarks as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.actions.postmortems.finding_changes import LONGEST_LINE, MAX_FACTORS, MAX_LINES
from incidents.models import Incident, IncidentUpdate, Page
from incidents.models.states import ENDED, UNRESOLVED, ComponentStatus, Kind, Status
from incidents.proofreading import Action, Options, PageFacts, Record, Remark, Severity, proofread
from incidents.status import impact_of, worst_impact
from incidents.text import markdown
from statuspage.accounts.models import User
from statuspage.console.fields import PREFIX, MomentField

MOST_ITEMS = 60
SHOWN = 80  # characters of the words that a remark is about
LABELS = {Severity.ERROR: "Wrong", Severity.WARNING: "Doubtful", Severity.ADVICE: "Advice"}
# What the forms without a choice of status do.
STATUS_OF_STEP = {"resolve": Status.RESOLVED, "complete": Status.COMPLETED, "cancel": Status.COMPLETED}


@dataclass(frozen=True)
class Subject:
    """What a text is about: an incident that there is or not yet, one of its updates, or its postmortem.

    `typed` is what the form holds now, by the names that its fields have without their `prefix`.
    """

    page: Page
    typed: Mapping[str, Any]
    incident: Incident | None = None
    update: IncidentUpdate | None = None
    prefix: str = ""
    is_postmortem: bool = False

    @property
    def text(self) -> str:
        """As far as it can be published: of a longer one the rest is not read."""
        return str(self.typed.get("body") or "").replace("\r\n", "\n")[: markdown.MAX_BODY]

    @property
    def aside(self) -> str:
        """What visitors will read of a postmortem beside its text: public lines and factors."""
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
        at, incident = self._moment("at") or timezone.now(), self.incident
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
        """Its window is its record until it has begun and ended."""
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
        """None for what is empty or no time: the form says so itself."""
        try:
            found: datetime | None = MomentField(self.page.zone).clean(self.typed.get(name) or "")
        except ValidationError:
            return None
        return found


@dataclass(frozen=True)
class Line:
    """A remark as it is shown. `start` and `end` count as browsers do, in UTF-16 code units."""

    remark: Remark
    words: str
    start: int
    end: int

    @property
    def label(self) -> str:
        return LABELS[self.remark.severity]

    @property
    def shown(self) -> str:
        return self.words if len(self.words) <= SHOWN else f"{self.words[: SHOWN - 1]}…"

    @property
    def fix(self) -> str:
        """The words on its button; empty if there is nothing to press."""
        if self.remark.suggestion is None:
            return ""
        return f"{'Use' if self.words else 'Add'} “{self.remark.suggestion.strip()}”"


def lines_about(subject: Subject) -> list[Line]:
    """Two queries, unless there is no text."""
    text, aside = subject.text, subject.aside
    if not (text.strip() or aside):
        return []
    facts, record = facts_of(subject.page), subject.record
    beside = proofread(aside, replace(record, is_postmortem=False), facts)
    return [
        *(_line(text, remark) for remark in proofread(text, record, facts)),
        # No button for these: they stand in many fields.
        *(_line(aside, replace(remark, suggestion=None)) for remark in beside),
    ]


def refuse_remarks(form: forms.BaseForm, subject: Subject) -> None:
    """Where the page's owner wants it so: what must not be published as it is becomes an error of the field."""
    blocks = Options.read(subject.page.proofreading).blocks
    if not blocks or "body" in form.errors:
        return
    for line in lines_about(subject):
        if line.remark.severity in blocks:
            form.add_error("body", f"“{line.shown}”: {line.remark.message}" if line.words else line.remark.message)


def facts_of(page: Page) -> PageFacts:
    people = list(User.objects.in_order())
    return PageFacts(
        zone=page.zone,
        components=[component.name for component in page.components.active().in_page_order()],
        people=[person.name for person in people if person.name],
        emails=[person.email for person in people],
        options=Options.read(page.proofreading),
    )


def typed_in(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The fields of a form, by their own names."""
    lead = f"{prefix}-" if prefix else ""
    return {name.removeprefix(lead): data[name] for name in data if name.startswith((lead, PREFIX))}


def subject_of(form: Any, page: Page) -> Subject:
    """Of one of the console's forms: what it holds now, or begins with."""
    values = {**form.initial, **(typed_in(form.data, form.prefix or "") if form.is_bound else {})}
    return Subject(
        page,
        values,
        incident=getattr(form, "incident", None),
        update=getattr(form, "update", None),
        prefix=form.prefix or "",
    )


def _line(text: str, remark: Remark) -> Line:
    start, end = (len(text[:at].encode("utf-16-le")) // 2 for at in (remark.start, remark.end))
    return Line(remark, text[remark.start : remark.end], start, end)


def _of_incident(incident: Incident) -> Record:
    begins = incident.happened_at
    return Record(
        begins,
        timezone.now(),
        resolved_at=incident.resolved_at,
        impact_started_at=incident.impact_started_at,
        kind=incident.kind,
        status=incident.status,
        impact=incident.impact,
    )


def _of_update(update: IncidentUpdate, at: datetime | None) -> Record:
    """A past update is asked for the next one only while it is the newest word."""
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
    """The rows of the form that say something."""
    rows = (
        [str(typed.get(f"items-{n}-{name}") or "") for name in ("text", "owner", "due_on")] for n in range(MOST_ITEMS)
    )
    return [Action(text, owner, _date(due)) for text, owner, due in rows if text.strip()]


def _date(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None
