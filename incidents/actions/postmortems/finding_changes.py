"""Validate and save the findings of a postmortem, and compute the summary that publishing it would show."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError

from incidents.actions import checks
from incidents.actions.incidents.impact_start import set_impact_start
from incidents.actor import Actor
from incidents.models import Incident, Postmortem
from incidents.models.findings import Findings, TimelineLine, is_length
from incidents.postmortem.evidence import evidence_of
from incidents.postmortem.summary import PostmortemSummary, postmortem_summary_of

MAX_LINES = 200
MAX_FACTORS = 30
LONGEST_LINE = 500
_MOMENTS = {
    "detected_at": "It cannot be detected",
    "acknowledged_at": "It cannot be acknowledged",
    "fixed_at": "It cannot be fixed",
    "impact_ended_at": "The impact cannot end",
}


def checked(findings: Findings, incident: Incident) -> Findings:
    """Return the validated findings.

    ValidationError fields: timeline, factors, component_seconds, or the name of the moment.
    """
    affected = {component.public_id for component in incident.affected_components()}
    if findings.seconds.keys() - affected:
        raise ValidationError({"component_seconds": "This component is no longer affected by the incident."})
    if not all(map(is_length, findings.seconds.values())):
        raise ValidationError({"component_seconds": "Enter at most one year of downtime per component."})
    _check_moments(findings)
    return replace(
        findings,
        timeline=tuple(_lines(findings.timeline)),
        factors=tuple(_factors(findings.factors)),
    ).in_order()


def save_findings(postmortem: Postmortem, incident: Incident, findings: Findings, *, actor: Actor) -> None:
    """Set the findings of `postmortem` without saving it. The start of the impact is saved on the incident."""
    checked_findings = checked(findings, incident)
    if checked_findings.impact_started_at != incident.impact_started_at:
        set_impact_start(incident, checked_findings.impact_started_at, actor=actor)
        incident.impact_started_at = checked_findings.impact_started_at
        postmortem.refresh_from_db(fields=["version"])
    postmortem.findings = checked_findings.as_json()


def summary_to_publish(postmortem: Postmortem, incident: Incident) -> PostmortemSummary | None:
    """Return the summary, or None if staff have entered no findings. Five queries."""
    if not postmortem.findings:
        return None
    fresh = Incident.objects.with_details().select_related("page").get(pk=incident.pk)
    stated = Findings.read(postmortem.findings, impact_started_at=fresh.impact_started_at)
    return postmortem_summary_of(stated, evidence_of(fresh).facts)


def published_text(body: str, summary: PostmortemSummary | None, incident: Incident) -> str:
    """Return the published text and summary as one text, to store and compare in revisions."""
    summary_text = summary.as_markdown(incident.page.zone) if summary else ""
    return f"{body}\n\n{summary_text}" if summary_text else body


def _check_moments(findings: Findings) -> None:
    began = findings.impact_started_at
    for name, message in _MOMENTS.items():
        at: datetime | None = getattr(findings, name)
        if at is None:
            continue
        checks.moment(at, field=name)
        if began and at < began:
            raise ValidationError({name: f"{message} before the impact began ({began:%Y-%m-%d %H:%M %Z})."})


def _lines(lines: Iterable[TimelineLine]) -> Iterable[TimelineLine]:
    timeline = list(lines)
    if len(timeline) > MAX_LINES:
        raise ValidationError({"timeline": f"Enter at most {MAX_LINES} timeline lines (there are {len(timeline)})."})
    for line in timeline:
        text = checks.line(line.text, field="timeline", what="A line of the timeline", max_length=LONGEST_LINE)
        yield replace(line, text=text, at=checks.moment(line.at, field="timeline"), source=line.source[:200])


def _factors(factors: Iterable[str]) -> Iterable[str]:
    given = [factor.strip() for factor in factors if factor.strip()]
    if len(given) > MAX_FACTORS:
        raise ValidationError({"factors": f"Enter at most {MAX_FACTORS} factors (there are {len(given)})."})
    for factor in given:
        yield checks.line(factor, field="factors", what="A factor", max_length=LONGEST_LINE)
