"""The summary that a published postmortem shows with its text.

It is stored when the postmortem is published, so that later corrections do not change it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from incidents.models.findings import (
    Findings,
    TimelineLine,
    digest,
    is_length,
    line_json,
    moment_in,
    read_lines,
    stamp,
    texts,
)
from incidents.models.states import IMPAIRED, ComponentStatus
from incidents.text.wording import duration_text, moment_text

MOMENTS = ("began", "detected", "acknowledged", "fixed", "resolved", "ended")
MEASURES = {"detected": "detect", "acknowledged": "acknowledge", "fixed": "fix", "resolved": "resolve"}


@dataclass(frozen=True)
class StatusSpan:
    status: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class ComponentImpact:
    """The impact on one component. `stated`: seconds, if staff have entered a different sum than that of `spans`."""

    public_id: str
    name: str
    spans: tuple[StatusSpan, ...] = ()
    stated: int | None = None

    @property
    def recorded(self) -> timedelta:
        return sum((span.end - span.start for span in self.spans), timedelta())

    @property
    def lasted(self) -> timedelta:
        return self.recorded if self.stated is None else timedelta(seconds=self.stated)


@dataclass(frozen=True)
class TimelineFacts:
    """The moments of an incident, and its components (public id, name and spans), as the database has them."""

    moments: Mapping[str, datetime | None]
    components: Sequence[tuple[str, str, tuple[StatusSpan, ...]]]


@dataclass(frozen=True)
class PostmortemSummary:
    lines: tuple[TimelineLine, ...]
    moments: Mapping[str, datetime]
    component_impacts: tuple[ComponentImpact, ...]
    factors: tuple[str, ...]
    stated: str = ""

    @property
    def lasted(self) -> timedelta | None:
        """The time from the start of the impact to its end."""
        return self._since_began("ended")

    @property
    def measures(self) -> list[tuple[str, timedelta]]:
        """The known measures: `Time to detect` and so on."""
        measures = [(f"Time to {verb}", self._since_began(name)) for name, verb in MEASURES.items()]
        return [(label, took) for label, took in measures if took is not None]

    def _since_began(self, name: str) -> timedelta | None:
        began, reached = self.moments.get("began"), self.moments.get(name)
        return reached - began if began and reached and reached >= began else None

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": [line_json(line) for line in self.lines],
            "moments": {name: stamp(at) for name, at in self.moments.items()},
            "harms": [_component_impact_json(impact) for impact in self.component_impacts],
            "factors": list(self.factors),
            "stated": self.stated,
        }

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> PostmortemSummary | None:
        """Return None if only a text was published. Invalid values, for example of an import, are left out."""
        if not raw:
            return None
        raw_moments = raw.get("moments")
        known = raw_moments if isinstance(raw_moments, dict) else {}
        moments = {name: at for name in MOMENTS if (at := moment_in(known, name))}
        return cls(
            tuple(line for line in read_lines(raw.get("lines")) if line.is_public),
            moments,
            tuple(_component_impacts(raw.get("harms"))),
            tuple(texts(raw.get("factors"))),
            str(raw.get("stated", "")),
        )

    def as_markdown(self, zone: tzinfo) -> str:
        """Return Markdown with times in `zone`, for revisions and exports."""
        parts = []
        if self.lines:
            rows = [f"- {moment_text(line.at, zone)}: {line.text}" for line in self.lines]
            parts.append("\n".join(["## Timeline", "", *rows]))
        facts = [f"- {label}: {duration_text(took)}" for label, took in self.measures]
        facts += [
            f"- {impact.name}: {duration_text(impact.lasted)}" for impact in self.component_impacts if impact.lasted
        ]
        if facts:
            parts.append("\n".join(["## Times", "", *facts]))
        if self.factors:
            parts.append("\n".join(["## Contributing factors", "", *(f"- {factor}" for factor in self.factors)]))
        return "\n\n".join(parts)


def postmortem_summary_of(findings: Findings, facts: TimelineFacts) -> PostmortemSummary:
    """Return the summary that `findings` would publish. Spans are limited to the time of the impact."""
    stated = {
        "began": findings.impact_started_at,
        "detected": findings.detected_at,
        "acknowledged": findings.acknowledged_at,
        "fixed": findings.fixed_at,
        "ended": findings.impact_ended_at,
    }
    merged = {name: stated.get(name) or facts.moments.get(name) for name in MOMENTS}
    # Python compares two times of one zone by wall clock, which repeats an hour in autumn.
    moments = {name: at.astimezone(UTC) for name, at in merged.items() if at}
    began, ended = moments.get("began"), moments.get("ended")
    component_impacts = tuple(
        ComponentImpact(public_id, name, tuple(_cut(spans, began, ended)), findings.seconds.get(public_id))
        for public_id, name, spans in facts.components
    )
    lines = tuple(replace(line, at=line.at.astimezone(UTC)) for line in findings.public_lines)
    return PostmortemSummary(lines, moments, component_impacts, findings.factors, stated=digest(findings.as_json()))


def _cut(spans: Sequence[StatusSpan], began: datetime | None, ended: datetime | None) -> Iterator[StatusSpan]:
    for span in spans:
        start = max(span.start, began) if began else span.start
        end = min(span.end, ended) if ended else span.end
        if span.status in IMPAIRED and start < end:
            yield StatusSpan(span.status, start, end)


def _component_impact_json(impact: ComponentImpact) -> dict[str, Any]:
    spans = [[span.status, stamp(span.start), stamp(span.end)] for span in impact.spans]
    return {
        "code": impact.public_id,
        "name": impact.name,
        "spans": spans,
        "stated": impact.stated,
    }


def _component_impacts(raws: Any) -> Iterator[ComponentImpact]:
    for raw in raws if isinstance(raws, list) else []:
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            stated = raw.get("stated") if is_length(raw.get("stated")) else None
            yield ComponentImpact(str(raw.get("code", "")), raw["name"], tuple(_spans(raw.get("spans"))), stated)


def _spans(raws: Any) -> Iterator[StatusSpan]:
    for raw in raws if isinstance(raws, list) else []:
        if isinstance(raw, list) and len(raw) == 3 and raw[0] in ComponentStatus.values:
            start, end = (moment_in({"at": at}, "at") for at in raw[1:])
            if start and end and start < end:
                yield StatusSpan(raw[0], start, end)
