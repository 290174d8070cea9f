"""What a published postmortem shows beside its text: kept as it was published, so that no later correction rewrites it
quietly. Pure: findings and the record come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from incidents.models.findings import (
    Findings,
    Line,
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
class Span:
    status: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class ComponentImpact:
    """What one component went through. `stated`: seconds, if staff say another sum than that of `spans`."""

    code: str
    name: str
    spans: tuple[Span, ...] = ()
    stated: int | None = None

    @property
    def recorded(self) -> timedelta:
        return sum((span.end - span.start for span in self.spans), timedelta())

    @property
    def lasted(self) -> timedelta:
        return self.recorded if self.stated is None else timedelta(seconds=self.stated)


@dataclass(frozen=True)
class TimelineFacts:
    """What the rows say: the moments that follow from them, and the components by name with all their known spans."""

    moments: Mapping[str, datetime | None]
    components: Sequence[tuple[str, str, tuple[Span, ...]]]


@dataclass(frozen=True)
class PostmortemSummary:
    lines: tuple[Line, ...]
    moments: Mapping[str, datetime]
    harms: tuple[ComponentImpact, ...]
    factors: tuple[str, ...]
    stated: str = ""

    @property
    def lasted(self) -> timedelta | None:
        """From the beginning of the impact to its end."""
        return self._since_began("ended")

    @property
    def measures(self) -> list[tuple[str, timedelta]]:
        """`Time to detect` and so on, as far as they are known."""
        found = [(f"Time to {verb}", self._since_began(name)) for name, verb in MEASURES.items()]
        return [(label, took) for label, took in found if took is not None]

    def _since_began(self, name: str) -> timedelta | None:
        began, reached = self.moments.get("began"), self.moments.get(name)
        return reached - began if began and reached and reached >= began else None

    def as_json(self) -> dict[str, Any]:
        return {
            "lines": [line_json(line) for line in self.lines],
            "moments": {name: stamp(at) for name, at in self.moments.items()},
            "harms": [_harm_json(harm) for harm in self.harms],
            "factors": list(self.factors),
            "stated": self.stated,
        }

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> PostmortemSummary | None:
        """None if nothing but the text was published. What does not fit is left out: a file may have brought it."""
        if not raw:
            return None
        told = raw.get("moments")
        moments = {name: at for name in MOMENTS if (at := moment_in(told, name))} if isinstance(told, dict) else {}
        return cls(
            tuple(line for line in read_lines(raw.get("lines")) if line.is_public),
            moments,
            tuple(_harms(raw.get("harms"))),
            tuple(texts(raw.get("factors"))),
            str(raw.get("stated", "")),
        )

    def told(self, zone: tzinfo) -> str:
        """In plain words, for revisions and exports: Markdown with times in `zone`."""
        parts = []
        if self.lines:
            rows = [f"- {moment_text(line.at, zone)}: {line.text}" for line in self.lines]
            parts.append("\n".join(["## Timeline", "", *rows]))
        facts = [f"- {label}: {duration_text(took)}" for label, took in self.measures]
        facts += [f"- {harm.name}: {duration_text(harm.lasted)}" for harm in self.harms if harm.lasted]
        if facts:
            parts.append("\n".join(["## Times", "", *facts]))
        if self.factors:
            parts.append("\n".join(["## Contributing factors", "", *(f"- {factor}" for factor in self.factors)]))
        return "\n\n".join(parts)


def postmortem_summary_of(findings: Findings, record: TimelineFacts) -> PostmortemSummary:
    """What `findings` would publish. Spans are cut to the impact's own time."""
    stated = {
        "began": findings.impact_started_at,
        "detected": findings.detected_at,
        "acknowledged": findings.acknowledged_at,
        "fixed": findings.fixed_at,
        "ended": findings.impact_ended_at,
    }
    merged = {name: stated.get(name) or record.moments.get(name) for name in MOMENTS}
    # Two times of one zone are compared by their wall clocks, which show an hour twice in autumn.
    moments = {name: at.astimezone(UTC) for name, at in merged.items() if at}
    began, ended = moments.get("began"), moments.get("ended")
    harms = tuple(
        ComponentImpact(code, name, tuple(_cut(spans, began, ended)), findings.seconds.get(code))
        for code, name, spans in record.components
    )
    lines = tuple(replace(line, at=line.at.astimezone(UTC)) for line in findings.public_lines)
    return PostmortemSummary(lines, moments, harms, findings.factors, stated=digest(findings.as_json()))


def _cut(spans: Sequence[Span], began: datetime | None, ended: datetime | None) -> Iterator[Span]:
    for span in spans:
        start = max(span.start, began) if began else span.start
        end = min(span.end, ended) if ended else span.end
        if span.status in IMPAIRED and start < end:
            yield Span(span.status, start, end)


def _harm_json(harm: ComponentImpact) -> dict[str, Any]:
    spans = [[span.status, stamp(span.start), stamp(span.end)] for span in harm.spans]
    return {"code": harm.code, "name": harm.name, "spans": spans, "stated": harm.stated}


def _harms(raws: Any) -> Iterator[ComponentImpact]:
    for raw in raws if isinstance(raws, list) else []:
        if isinstance(raw, dict) and isinstance(raw.get("name"), str):
            stated = raw.get("stated") if is_length(raw.get("stated")) else None
            yield ComponentImpact(str(raw.get("code", "")), raw["name"], tuple(_spans(raw.get("spans"))), stated)


def _spans(raws: Any) -> Iterator[Span]:
    for raw in raws if isinstance(raws, list) else []:
        if isinstance(raw, list) and len(raw) == 3 and raw[0] in ComponentStatus.values:
            start, end = (moment_in({"at": at}, "at") for at in raw[1:])
            if start and end and start < end:
                yield Span(raw[0], start, end)
