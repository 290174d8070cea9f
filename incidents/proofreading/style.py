"""Check the style: no placeholders, no blame by name, numbers where they matter, no shouting."""

import re
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from incidents.models.states import Impact, Kind
from incidents.proofreading.facts import PageFacts, Record
from incidents.proofreading.prose import SHORTHAND, Text
from incidents.proofreading.remarks import Remark, Severity
from incidents.proofreading.times import shorthand
from incidents.proofreading.words import FIRST_NAMES, SHOUTED, SHOUTED_ALONE

_BLANK_WORD = (
    r"(?:insert|describe|your|name|names|number|numbers|time|times|date|component|components|region|regions|service"
    r"|services|customer|customers|link|url|count|percent|percentage|cause|duration|status|version|impact|summary|details"
    r"|reason|start|end|vendor|provider|team|person|owner|id|n)"
)
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}|(?<![\w$}])\$?\{[A-Za-z][\w .-]{0,40}\}"
    rf"|<(?:[a-z-]{{1,20}}[ _]){{0,3}}{_BLANK_WORD}(?:[ _][a-z-]{{1,20}}){{0,3}}>"
    rf"|\[(?:[a-z’'-]{{1,20}}[ _]){{0,4}}{_BLANK_WORD}(?:[ _][a-z’'-]{{1,20}}){{0,5}}\](?![(\[:])"
    r"|(?-i:\[[A-Z]{2,20}(?:[ _][A-Z]{2,20}){0,4}\](?![(\[:])"
    r"|(?<![\w:])(?:XX:XX|HH:MM|hh:mm|YYYY-MM-DD|X{3,8})(?![\w:]))|(?<![\w_])_{4,80}(?![\w_\n])|\blorem ipsum\b",
    re.IGNORECASE | re.ASCII,
)
_TODO = re.compile(r"\b(?:TODO|FIXME|TBD|TBC|tbd|tbc|Tbd|Tbc)\b|\btodo(?=:)|\bto be filled in\b")
_NAME = re.compile(r"(?<![\w@])[A-Z][\w’-]{1,30}(?:[ ][A-Z][\w-]{1,30})?")
_MISDEED = (
    r"(?:accidentally|mistakenly|wrongly|forgot|deleted|dropped|removed|broke|caused|misconfigured|overlooked|missed"
    r"|failed|ignored|neglected|mistyped|crashed|disabled|overwrote|took down|shut down|did not check|should have)"
)
_DEED = r"(?:pushed|deployed|merged|ran|typed|changed|released|approved|introduced|committed)"
_BAD = re.compile(
    r"\b(?:wrong|bad|broken|faulty|mistake|mistakenly|error|untested|incorrect(?:ly)?|outage|accident(?:ally)?|fault|bug)\b",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(
    rf"[,]?\s+(?:(?:had|has|who|then|also|\w{{1,15}}ly)\s+){{0,2}}(?:{_MISDEED}|(?P<deed>{_DEED}))\b"
)
_OWN = re.compile(r"['’]s\s+(?:\w{1,20}\s+)?(?:mistake|error|fault|negligence|carelessness|bug|bad)\b", re.IGNORECASE)
_BEFORE_NAME = re.compile(
    r"\b(?:(?:mistake|fault|error|negligence|carelessness)\s+(?:of|by)|blame[sd]?"
    rf"|(?P<deed>{_MISDEED}|{_DEED}|made|done|applied)(?:\s+\w{{1,15}})?\s+by)\s+(?:our\s+\w{{1,15}}\s+)?$",
    re.IGNORECASE,
)
_VAGUE = re.compile(
    r"\b(?:some|certain|a few|several|many|a (?:very )?(?:small |limited |large )?(?:number|subset|portion|handful"
    r"|fraction) of) (?:of )?(?:our |the |your )?(?:users?|customers?|requests|accounts|visitors|people|clients|teams"
    r"|tenants|organi[sz]ations|workflows|events|messages|e?-?mails|orders|payments)(?: (?:may|might|could)\b)?",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"[0-9]|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|half|third|quarter|dozen|none|all)\b", re.I
)
# No share of anything.
_CLOCK = re.compile(r"\b[0-9]{1,2}(?::[0-9]{2})?\s?[ap]\.?m\b|\b[0-9]{1,2}:[0-9]{2}\b|\b[12][0-9]{3}\b", re.IGNORECASE)
_PROMISE = re.compile(
    r"\b(?:next|more|further|another|again|will|shall|expect|follows?|soon)\b[^\n]{0,200}?\b(?:updates?|write|post|news"
    r"|inform|reports?|tell|message|information|know|back)\b"
    r"|\b(?:updates?|write|post|news|inform|reports?|tell|message|information|back)\b[^\n]{0,200}?\b(?:next|more|further"
    r"|again|will|follows?|every)\b|\bevery\b[^\n]{0,40}\b(?:minutes|hour)",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"\b[0-9]{1,2}:[0-9]{2}\b|\b[0-9]{1,2}\s?[ap]\.?m\b|\bhourly\b"
    r"|\b(?:in|within|every|after)\s+(?:(?:about|the next|another|at most)\s+)?(?:[0-9]{1,3}|an?|one|two|three"
    r"|half|few)?[ -]?(?:an? |and a half )?(?:minutes?|mins?|hours?|days?)\b|\b(?:tomorrow|tonight|monday|tuesday"
    r"|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"(?<![\w'’/.-])[A-Z][A-Z'’]*(?![\w/-])(?:[ ,]{1,2}[A-Z][A-Z'’]*(?![\w/-])){0,60}")
_PIECE = re.compile(r"\S+")
_NEXT_UPDATE = timedelta(minutes=60)


def check_speech(text: Text, record: Record, page: PageFacts) -> Iterator[Remark]:
    yield from _unfinished(text.prose)
    yield from _blame(text, page.people)
    yield from _shouting(text.prose)
    if record.impact in (Impact.MAJOR, Impact.CRITICAL):
        yield from _vague(text)
    if record.awaits_update and record.kind == Kind.INCIDENT:
        yield from _next_update(text, record, page)
    if not record.is_postmortem:
        yield from _length(text.raw, page.options.max_words)


def _unfinished(prose: str) -> Iterator[Remark]:
    for match in _PLACEHOLDER.finditer(prose):
        yield Remark(*match.span(), Severity.ERROR, "placeholder", "Fill in this placeholder.")
    for match in _TODO.finditer(prose):
        yield Remark(*match.span(), Severity.ERROR, "todo", "Remove this note to yourself.")


def _blame(text: Text, people: Collection[str]) -> Iterator[Remark]:
    staff = {part.lower() for name in people for part in name.split() if len(part) > 1}
    for match in _NAME.finditer(text.prose):
        first = match.group().split()[0]
        first = first.removesuffix("’s")
        if first.lower() not in FIRST_NAMES and first.lower() not in staff:
            continue
        if _is_blamed(text, match):
            message = f"This blames {match.group()} by name. Describe what went wrong in the system instead."
            yield Remark(*match.span(), Severity.WARNING, "blame", message)


def _is_blamed(text: Text, name: re.Match[str]) -> bool:
    prose = text.prose
    before = _BEFORE_NAME.search(prose, max(0, name.start() - 60), name.start())
    after = _AFTER_NAME.match(prose, name.end())
    if _OWN.match(prose, name.end()) or _OWN.search(prose, name.start(), name.end() + 40):
        return True
    neutral = next((match for match in (before, after) if match and match["deed"]), None)
    if before is None and after is None:
        return False
    return neutral is None or bool(_BAD.search(text.sentence(name.start())))


def _vague(text: Text) -> Iterator[Remark]:
    for match in _VAGUE.finditer(text.prose):
        if not _NUMBER.search(_CLOCK.sub("", text.sentence(match.start()))):
            message = "Enter a number or a percentage. Readers expect one for this impact."
            yield Remark(*match.span(), Severity.ADVICE, "vague-number", message)


def _next_update(text: Text, record: Record, page: PageFacts) -> Iterator[Remark]:
    if not text.raw.strip():
        return
    for begin, sentence in text.sentences:
        has_time = _WHEN.search(sentence) or SHORTHAND.search(text.raw, begin, begin + len(sentence))
        if has_time and _PROMISE.search(sentence):
            return
    end = len(text.raw)
    message = "Add the time of the next update."
    suggestion = f"\n\nNext update by {shorthand(_quarter(record.written_at + _NEXT_UPDATE), record, page)}."
    yield Remark(end, end, Severity.WARNING, "next-update", message, suggestion)


def _quarter(at: datetime) -> datetime:
    """The next full quarter of an hour."""
    over = timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)
    return at + timedelta(minutes=15) - over if over else at


def _shouting(prose: str) -> Iterator[Remark]:
    for match in _CAPITALS.finditer(prose):
        loud_words = re.findall(r"[A-Z'’]+", match.group())
        common = [word for word in loud_words if word.lower() in SHOUTED]
        is_loud = len(common) > 1 and 2 * len(common) >= len(loud_words)
        alone = any(word.lower() in SHOUTED_ALONE for word in loud_words) and len(loud_words) <= 3
        if is_loud or alone:
            message = "Capitals look like shouting."
            yield Remark(*match.span(), Severity.ADVICE, "shouting", message, _lowered(prose, match))


def _lowered(prose: str, match: re.Match[str]) -> str:
    lowered = match.group().lower()
    begins = not prose[: match.start()].strip() or bool(
        re.search(r"[.!?]\s*$|\n\s*$", prose[max(0, match.start() - 5) : match.start()])
    )
    return lowered[0].upper() + lowered[1:] if begins else lowered


def _length(raw: str, limit: int) -> Iterator[Remark]:
    text_words = [piece for piece in _PIECE.finditer(raw) if any(map(str.isalnum, piece.group()))]
    if len(text_words) > limit:
        message = f"The text has {len(text_words)} words; the limit is {limit}. Move details to the postmortem."
        yield Remark(text_words[limit].start(), text_words[-1].end(), Severity.ADVICE, "too-long", message)
