"""The page where a postmortem is edited: the saved version, the submitted forms, and a conflicting version."""

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
    length_text,
    timeline_rows,
    with_missing_rows,
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
    filled_in: int | None = None  # number of added lines, if the author requested them

    @property
    def clock(self) -> Clock:
        return Clock(self.incident.page.zone, self.incident.happened_at)

    @property
    def previewed_items(self) -> list[Any]:
        """The action items for the preview: the submitted ones, otherwise the saved ones."""
        if self.items.is_bound:
            self.items.is_valid()
            return self.items.drafts
        return list(self.postmortem.action_items.all()) if self.postmortem else []

    @cached_property
    def previewed_summary(self) -> PostmortemSummary:
        """The summary for the preview, from the valid findings."""
        return postmortem_summary_of(self.findings(), self.evidence.facts)

    def findings(self) -> Findings:
        if not self.facts.is_bound:
            return self.stated
        self.facts.is_valid()
        self.lines.is_valid()
        return self.facts.findings(self.lines.lines)

    @property
    def their_findings(self) -> list[str]:
        """The findings of the conflicting version, one line each. Saving replaces them as well."""
        if self.theirs is None:
            return []
        stated, zone = self.theirs.stated(), self.incident.page.zone
        rows = [f"{moment_text(line.at, zone)}: {line.text}" for line in stated.timeline]
        moments = {label: getattr(stated, name) for name, (label, _) in MOMENTS.items()}
        rows += [f"{label}: {moment_text(at, zone)}" for label, at in moments.items() if at]
        names = {component.public_id: component.full_name for component in self.evidence.components}
        rows += [
            f"{names.get(component_id, component_id)}: {length_text(length)}"
            for component_id, length in stated.seconds.items()
        ]
        return rows + list(stated.factors)

    @property
    def is_timeline_new(self) -> bool:
        """Whether the timeline was generated just now. It is saved with the next draft."""
        saved_findings = self.postmortem.findings if self.postmortem else {}
        return not self.facts.is_bound and not saved_findings and bool(self.stated.timeline)

    @property
    def is_valid(self) -> bool:
        """Validate all forms, so that all errors are shown at once."""
        forms = [self.form.is_valid(), self.items.is_valid()]
        return all(forms + ([self.facts.is_valid(), self.lines.is_valid()] if self.facts.is_bound else []))

    @property
    def has_errors(self) -> bool:
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
    """Return the editor. `incident` has its updates prefetched. `data` is the submitted form, whatever the button."""
    page, postmortem = incident.page, getattr(incident, "postmortem", None)
    clock = Clock(page.zone, incident.happened_at)
    evidence, stated = evidence_of(incident), stated_of(incident, postmortem)
    derived = postmortem_summary_of(Findings(impact_started_at=incident.impact_started_at), evidence.facts)
    if data is None:
        if not (postmortem and postmortem.findings):
            stated = stated.with_missing(lines_of(evidence))
        items = postmortem.action_items.all() if postmortem else []
        return PostmortemEditor(
            incident,
            postmortem,
            evidence,
            postmortem_form(postmortem, page=page),
            action_items(items=items),
            FindingsForm(clock=clock, stated=stated, summary=derived),
            timeline_rows(clock, lines=stated.timeline),
            stated,
        )
    # A submission without the findings does not change them.
    typed: Any = data if "lines-TOTAL_FORMS" in data else None
    rows = with_missing_rows(clock, data, lines_of(evidence)) if "fill" in data else typed
    return PostmortemEditor(
        incident,
        postmortem,
        evidence,
        PostmortemForm(data, page=page),
        action_items(data, more_rows="more_rows" in data),
        FindingsForm(typed, clock=clock, stated=stated, summary=derived),
        timeline_rows(clock, rows, lines=stated.timeline, more_rows="more_lines" in data),
        stated,
        filled_in=count_of(rows, "lines") - count_of(data, "lines") if "fill" in data else None,
    )
