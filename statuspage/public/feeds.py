"""The incident history as Atom and RSS, in the format of Statuspage (contract sections 2.5 and 2.6)."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from urllib.parse import urlsplit

from django.urls import reverse
from django.utils.html import escape

from incidents.models import Incident, Page
from incidents.statuspage_json import published_postmortem
from incidents.templatetags.candor import site_name
from statuspage.common.shared_reads import shared
from statuspage.common.urls import absolute_url
from statuspage.public.page_state import newest_incidents

ENTRIES = 25
# Characters that XML 1.0 does not allow, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LEADING_PARAGRAPHS = re.compile(r"\A(?:<p>.*?</p>\s*)+", re.DOTALL)


@dataclass(frozen=True)
class FeedEntry:
    """`number` is the primary key, used in Atom ids. `content` is HTML: one paragraph per update, newest first."""

    number: int
    url: str
    title: str
    began_at: datetime
    published_at: datetime
    updated_at: datetime
    content: str

    @property
    def spaced_content(self) -> str:
        """Return the content in the RSS format: with a space after each tag of a paragraph's first line."""
        return re.sub(r"<p><small>(.*?)</small><br><strong>", r"<p> <small>\1</small><br> <strong>", self.content)


@dataclass(frozen=True)
class Feed:
    host: str
    home_url: str
    atom_url: str
    title: str
    author: str
    updated_at: datetime
    entries: list[FeedEntry]


def incident_feed(page: Page, *, upcoming_first: bool = False) -> Feed:
    """Return at most 25 incidents of `page`, the most recently updated first; upcoming maintenances first for RSS."""
    home_url = absolute_url(page, reverse("public:home")).rstrip("/")
    return Feed(
        host=urlsplit(home_url).hostname or "",
        home_url=home_url,
        atom_url=absolute_url(page, reverse("public:atom")),
        title=_printable(f"{site_name(page)} - Incident History"),
        author=_printable(page.name),
        updated_at=page.updated_at,
        entries=[
            _entry(page, incident) for incident in newest_incidents(page, count=ENTRIES, upcoming_first=upcoming_first)
        ],
    )


# Both feeds and the JSON Feed contain mostly the same incidents.
@shared
def _entry(page: Page, incident: Incident) -> FeedEntry:
    postmortem = published_postmortem(incident)
    paragraphs = [(update.display_at, update.label, update.body_html) for update in incident.updates.all()]
    if postmortem and postmortem.published_at:
        paragraphs.insert(0, (postmortem.published_at, "Postmortem", postmortem.body_html))
    head = _schedule(page, incident) if incident.is_upcoming else ""
    return FeedEntry(
        number=incident.pk,
        url=absolute_url(page, reverse("public:incident", args=[incident.public_id])),
        title=_printable(incident.title),
        began_at=incident.started_at,
        published_at=incident.last_update_at,
        updated_at=incident.updated_at,
        content=_printable(
            head + "".join(_paragraph(at.astimezone(page.zone), label, html) for at, label, html in paragraphs)
        ),
    )


def _schedule(page: Page, maintenance: Incident) -> str:
    """Return the first paragraph of an upcoming maintenance's entry: its window, in the words that clients look for."""
    return f"<p><strong>THIS IS A SCHEDULED EVENT {marked_span(*maintenance.window, page.zone)}</strong></p>"


def marked_span(start: datetime, end: datetime | None, zone: tzinfo) -> str:
    """Return `Oct <var …> 7</var>, <var …>21:23</var> - <var …>22:00</var> UTC` as HTML, with the end if it is set."""
    first = start.astimezone(zone)
    if end is None:
        return f"{_day(first)} {escape(first.tzname())}"
    last = end.astimezone(zone)
    opening = _day(first) + ("" if first.tzname() == last.tzname() else f" {escape(first.tzname())}")
    closing = _time(last) if first.date() == last.date() else _day(last)
    return f"{opening} - {closing} {escape(last.tzname())}"


def _paragraph(at: datetime, label: str, html: str) -> str:
    """Return the HTML of one update: its first paragraphs on the line of its label, then lists and other blocks."""
    leading = _LEADING_PARAGRAPHS.match(html)
    text = leading.group().strip() if leading else ""
    inline = re.sub(r"</p>\s*<p>", "<br /><br />", text).removeprefix("<p>").removesuffix("</p>")
    inline = re.sub(r"<br>\n?", "<br />", inline)
    rest = html[leading.end() :] if leading else html
    return (
        f"<p><small>{_day(at)} {escape(at.tzname())}</small><br><strong>{escape(label)}</strong> - {inline}</p>{rest}"
    )


def _day(at: datetime) -> str:
    return f"{at:%b} <var data-var='date'>{at.day:>2}</var>, {_time(at)}"


def _time(at: datetime) -> str:
    return f"<var data-var='time'>{at:%H:%M}</var>"


def _printable(text: str) -> str:
    return _NOT_XML.sub("", text)
