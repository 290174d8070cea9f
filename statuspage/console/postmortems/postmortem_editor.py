"""Everything on the page where a postmortem is written: what stands, what was typed, what was saved meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict

from incidents.models import Incident, Postmortem
from incidents.models.findings import Findings
from incidents.postmortem.evidence import Evidence, evidence_of, lines_of
from incidents.postmortem.summary import PostmortemSummary, postmortem_summary_of
from incidents.text.time_shorthand import Clock
from incidents.text.wording import moment_text
from statuspage.console.form_rows import count_of
from statuspage.console.postmortems.findings_forms import (
    MOMENTS,
    FindingsForm,
    TimelineRows,
    filled,
    length_text,
    timeline_rows,
)
from statuspage.console.postmortems.forms import ActionItemRows, PostmortemForm, action_items, postmortem_form


@dataclass
class PostmortemEditor:
    incident: Incident
    postmortem: Postmortem | None
    evidence: Evidence
    form: PostmortemForm
    items: ActionItemRows
    facts: FindingsForm
    lines: TimelineRows
    stated: Findings
    theirs: Postmortem | None = None
    filled_in: int | None = None  # lines, if that was asked for

    @property
    def clock(self) -> Clock:
        return Clock(self.incident.page.zone, self.incident.happened_at)

    @property
    def items_on_view(self) -> list[Any]:
        """For the preview: what is typed, else what stands."""
        if self.items.is_bound:
            self.items.is_valid()
            return self.items.drafts
        return list(self.postmortem.action_items.all()) if self.postmortem else []

    @cached_property
    def account_on_view(self) -> PostmortemSummary:
        """The same of the findings, as far as they are valid."""
        return postmortem_summary_of(self.findings(), self.evidence.facts)

    def findings(self) -> Findings:
        if not self.facts.is_bound:
            return self.stated
        self.facts.is_valid()
        self.lines.is_valid()
        return self.facts.findings(self.lines.lines)

    @property
    def their_findings(self) -> list[str]:
        """All that the others keep beside their text, a line each: saving replaces that too."""
        if self.theirs is None:
            return []
        stated, zone = self.theirs.stated(), self.incident.page.zone
        told = [f"{moment_text(line.at, zone)}: {line.text}" for line in stated.timeline]
        moments = {label: getattr(stated, name) for name, (label, _) in MOMENTS.items()}
        told += [f"{label}: {moment_text(at, zone)}" for label, at in moments.items() if at]
        names = {one.public_id: one.full_name for one in self.evidence.components}
        told += [f"{names.get(code, code)}: {length_text(length)}" for code, length in stated.seconds.items()]
        return told + list(stated.factors)

    @property
    def is_timeline_new(self) -> bool:
        """It was filled in just now, and is saved with the next draft."""
        kept = self.postmortem.findings if self.postmortem else {}
        return not self.facts.is_bound and not kept and bool(self.stated.timeline)

    @property
    def is_valid(self) -> bool:
        """Everything is judged, so that everything that is wrong is said at once."""
        forms = [self.form.is_valid(), self.items.is_valid()]
        return all(forms + ([self.facts.is_valid(), self.lines.is_valid()] if self.facts.is_bound else []))

    @property
    def is_refused(self) -> bool:
        errors = self.form.errors or self.facts.errors
        return self.form.is_bound and bool(errors or self.items.total_error_count() or self.lines.total_error_count())

    def add_action_errors(self, error: ValidationError) -> None:
        """Show each error next to the field that it names, in the form that has it."""
        errors = error.message_dict if hasattr(error, "error_dict") else {"body": error.messages}
        for name, messages in errors.items():
            form = self.facts if name in self.facts.fields else self.form
            form.add_action_errors(ValidationError({name: messages}))


def stated_of(incident: Incident, postmortem: Postmortem | None) -> Findings:
    raw = postmortem.findings if postmortem else {}
    return Findings.read(raw, impact_started_at=incident.impact_started_at)


def postmortem_editor_of(incident: Incident, data: QueryDict | None) -> PostmortemEditor:
    """`incident` comes with its timeline. `data`: what was sent, by whichever button."""
    page, standing = incident.page, getattr(incident, "postmortem", None)
    clock = Clock(page.zone, incident.happened_at)
    evidence, stated = evidence_of(incident), stated_of(incident, standing)
    derived = postmortem_summary_of(Findings(impact_started_at=incident.impact_started_at), evidence.facts)
    if data is None:
        if not (standing and standing.findings):
            stated = stated.with_missing(lines_of(evidence))
        items = standing.action_items.all() if standing else []
        return PostmortemEditor(
            incident,
            standing,
            evidence,
            postmortem_form(standing, page=page),
            action_items(items=items),
            FindingsForm(clock=clock, stated=stated, account=derived),
            timeline_rows(clock, lines=stated.timeline),
            stated,
        )
    # Whoever sends a text alone leaves the findings as they are.
    typed: Any = data if "lines-TOTAL_FORMS" in data else None
    rows = filled(clock, data, lines_of(evidence)) if "fill" in data else typed
    return PostmortemEditor(
        incident,
        standing,
        evidence,
        PostmortemForm(data, page=page),
        action_items(data, more_rows="more_rows" in data),
        FindingsForm(typed, clock=clock, stated=stated, account=derived),
        timeline_rows(clock, rows, lines=stated.timeline, more_rows="more_lines" in data),
        stated,
        filled_in=count_of(rows, "lines") - count_of(data, "lines") if "fill" in data else None,
    )
