"""Check that a postmortem has its four sections, and that each action item has an owner and a due date."""

import re
from collections.abc import Iterator, Sequence

from incidents.proofreading.facts import Action
from incidents.proofreading.prose import Text
from incidents.proofreading.remarks import Remark, Severity

_SECTIONS = {
    "What happened": r"what happened|summary|overview|timeline|description|sequence of events|the incident",
    "Impact": r"impact|affected|consequences|who noticed|what you saw|customer experience",
    "Why": r"why|cause|contributing|factors|analysis|reasons?|what went wrong",
    "What we do now": (
        r"what we (?:will |now )?(?:do|did|change|have done)|what we[’']re|going forward|next steps|actions?"
        r"|follow-?ups?|remediation|prevention|preventive|improvements?|corrective|changes|measures|lessons"
    ),
}
_PATTERNS = {name: re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE) for name, pattern in _SECTIONS.items()}
_LONGEST_HEADING = 60
_HEADING = re.compile(
    r"^(?:#{1,6}[ ]+(?P<marked>[^\n]{1,200})|(?P<bold>\*\*[^*\n]{1,60}\*\*):?[ ]*|(?P<bare>[A-Z][^\n.,;:!?]{1,60}))$",
    re.M,
)


def check_sections(text: Text, actions: Sequence[Action]) -> Iterator[Remark]:
    end = len(text.raw)
    headings = [_title(match) for match in _HEADING.finditer(text.prose) if _stands_alone(text.prose, match)]
    for name, pattern in _PATTERNS.items():
        if not any(pattern.search(heading) for heading in headings):
            message = f"Add a section “{name}”."
            yield Remark(end, end, Severity.WARNING, "section-missing", message, f"\n\n## {name}\n\n")
    for action in actions:
        missing = [word for word, has in (("no owner", action.owner.strip()), ("no date", action.due_on)) if not has]
        if missing:
            message = f"The action item “{action.text[:60]}” has {' and '.join(missing)} yet."
            code = "action-owner" if not action.owner.strip() else "action-date"
            yield Remark(end, end, Severity.WARNING, code, message)


def _title(match: re.Match[str]) -> str:
    return match["marked"] or match["bold"] or match["bare"]


def _stands_alone(prose: str, match: re.Match[str]) -> bool:
    """A short line with nothing around it is a heading, too, whoever forgot its `#`."""
    if not match["bare"]:
        return True
    before, after = prose[max(0, match.start() - 2) : match.start()], prose[match.end() : match.end() + 2]
    return before in ("", "\n\n") and after in ("\n\n",)
