"""The structured parts of a postmortem: timeline, moments, downtime per component, contributing factors."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.core.exceptions import ValidationError

from incidents.actions.postmortems.finding_changes import LONGEST_LINE, MAX_LINES
from incidents.models.findings import Findings, TimelineLine
from incidents.postmortem.summary import ComponentImpact, PostmortemSummary
from incidents.text.time_shorthand import Clock
from statuspage.console.action_form import ActionForm
from statuspage.console.fields import MomentField
from statuspage.console.form_rows import count_of, with_more_rows, with_values
from statuspage.console.reports.forms import typed_moment

EMPTY_LINES = 2
SECONDS = "seconds_"
MOMENTS = {
    "impact_started_at": ("Impact began", "began"),
    "detected_at": ("Detected", "detected"),
    "acknowledged_at": ("Acknowledged", "acknowledged"),
    "fixed_at": ("Fixed", "fixed"),
    "impact_ended_at": ("Impact ended", "ended"),
}


class LengthField(forms.CharField):
    """`48` minutes, `48:30`, `1:02:30`. Returns seconds or None."""

    def __init__(self, **more: Any) -> None:
        super().__init__(required=False, max_length=12, **more)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        parts = text.split(":")
        if not text:
            return None
        if len(parts) > 3 or not all(part.isdecimal() for part in parts) or any(int(part) > 59 for part in parts[1:]):
            raise ValidationError("Enter minutes (48), minutes and seconds (48:30), or hours (1:02:30).")
        hours, minutes, seconds = {1: ["0", *parts, "0"], 2: ["0", *parts], 3: parts}[len(parts)]
        return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def length_text(seconds: float) -> str:
    """Format a duration for the form field: `48`, `48:30`, `1:02:30`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02}" if rest else str(minutes)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


class FindingsForm(ActionForm):
    """The findings. Empty fields use the recorded values, which their placeholders show; `summary` holds them."""

    factors = forms.CharField(
        label="Contributing factors",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One per line: the conditions that together caused the incident. Shown to visitors as a list.",
    )

    def __init__(self, data: Any = None, *, clock: Clock, stated: Findings, summary: PostmortemSummary) -> None:
        initial: dict[str, Any] = {name: typed_moment(getattr(stated, name), clock.zone) for name in MOMENTS}
        initial["factors"] = "\n".join(stated.factors)
        super().__init__(data, initial=initial)
        self.component_impacts = summary.component_impacts
        for name, (label, moment) in MOMENTS.items():
            self.fields[name] = MomentField(clock.zone, day=clock.day, label=label)
            known = typed_moment(summary.moments.get(moment), clock.zone)
            self.fields[name].widget.attrs["placeholder"] = known or "Not known"
        for impact in self.component_impacts:
            stated_seconds = stated.seconds.get(impact.public_id)
            field = LengthField(
                label=impact.name, initial="" if stated_seconds is None else length_text(stated_seconds)
            )
            field.widget.attrs |= {
                "placeholder": length_text(impact.recorded.total_seconds()),
                "inputmode": "numeric",
                "autocomplete": "off",
            }
            self.fields[SECONDS + impact.public_id] = field

    @property
    def moment_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in MOMENTS]

    @property
    def length_fields(self) -> list[tuple[ComponentImpact, forms.BoundField]]:
        return [(impact, self[SECONDS + impact.public_id]) for impact in self.component_impacts]

    @property
    def has_lengths(self) -> bool:
        """Whether a duration is filled in or invalid."""
        return any(field.errors or field.value() for _, field in self.length_fields)

    def findings(self, timeline: Iterable[TimelineLine]) -> Findings:
        """Return the findings of the valid fields."""
        cleaned: Mapping[str, Any] = getattr(self, "cleaned_data", {})
        moments: dict[str, datetime | None] = {name: cleaned.get(name) for name in MOMENTS}
        lengths = {impact.public_id: cleaned.get(SECONDS + impact.public_id) for impact in self.component_impacts}
        return Findings(
            timeline=tuple(timeline),
            **moments,
            seconds={component_id: seconds for component_id, seconds in lengths.items() if seconds is not None},
            factors=tuple(line.strip() for line in cleaned.get("factors", "").splitlines() if line.strip()),
        ).in_order()


class LineForm(forms.Form):
    """One line of the timeline. A row without text is ignored."""

    text = forms.CharField(
        required=False, max_length=LONGEST_LINE, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    is_public = forms.BooleanField(label="Public", required=False)
    source = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, *args: Any, clock: Clock, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["at"] = MomentField(clock.zone, day=clock.day, label="When")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("text") and not cleaned.get("at") and "at" not in self.errors:
            self.add_error("at", "Enter a time.")
        return cleaned

    @property
    def line(self) -> TimelineLine | None:
        cleaned = getattr(self, "cleaned_data", {})
        if not cleaned.get("text") or not cleaned.get("at"):
            return None
        return TimelineLine(cleaned["at"], cleaned["text"], cleaned.get("is_public", False), cleaned.get("source", ""))


if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet[LineForm]
else:
    _FormSet = forms.BaseFormSet


class TimelineRows(_FormSet):
    @property
    def has_room(self) -> bool:
        return self.total_form_count() < self.max_num

    @property
    def lines(self) -> list[TimelineLine]:
        """Return the lines of the valid rows, in the order of the form."""
        return [line for form in self.forms if (line := form.line)]


ROWS = forms.formset_factory(
    LineForm, formset=TimelineRows, extra=EMPTY_LINES, max_num=MAX_LINES, absolute_max=MAX_LINES + 10
)


def timeline_rows(
    clock: Clock, data: Any = None, *, lines: Iterable[TimelineLine] = (), more_rows: bool = False
) -> TimelineRows:
    """Return rows for `lines` and some empty ones, or the submitted rows. `more_rows` adds empty rows."""
    if more_rows:
        data = with_more_rows(data, "lines", EMPTY_LINES, MAX_LINES)
    initial = None if data is not None else [_row(line, clock) for line in lines]
    return cast(TimelineRows, ROWS(data, prefix="lines", initial=initial, form_kwargs={"clock": clock}))


def with_missing_rows(clock: Clock, data: Any, lines: Iterable[TimelineLine]) -> Any:
    """Return the submitted rows, followed by those `lines` whose source has no row yet."""
    count = count_of(data, "lines")
    sources = {data.get(f"lines-{number}-source", "") for number in range(count)}
    added: dict[str, object] = {}
    for line in lines:
        if line.source not in sources and count < MAX_LINES:
            for name, value in _row(line, clock).items():
                if name != "is_public" or value:
                    added[f"lines-{count}-{name}"] = "on" if value is True else value
            count += 1
    return with_values(data, added | {"lines-TOTAL_FORMS": count})


def _row(line: TimelineLine, clock: Clock) -> dict[str, Any]:
    at = typed_moment(line.at, clock.zone)
    return {"at": at, "text": line.text, "is_public": line.is_public, "source": line.source}
