"""Badges: what a page or a component is like now, as a small picture for other sites."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.text import Truncator

from incidents.models import Page
from incidents.models.states import ComponentStatus, Impact
from incidents.status import impact_of, page_status, worst_impact
from incidents.templatetags.candor import site_name
from incidents.visibility import Viewer
from statuspage.common.urls import current_page
from statuspage.public.http import public_page, rendered

# The light colours of tokens.css, which a picture on a foreign site cannot read. White text stands on them.
COLOURS = {
    Impact.NONE: "#14774a",
    Impact.MAINTENANCE: "#2a62b5",
    Impact.MINOR: "#8a5b00",
    Impact.MAJOR: "#b34a0c",
    Impact.CRITICAL: "#b5162f",
}
LONGEST_NAME = 60
PADDING = 8
_NARROW, _WIDE = set("fijlrtI.,:;|!'()[]/- "), set("mwMW@%")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Badge:
    """`name` of what is told of, `word` for how it is, `colour` for the same."""

    name: str
    word: str
    colour: str

    @property
    def name_length(self) -> int:
        return text_width(self.name)

    @property
    def word_length(self) -> int:
        return text_width(self.word)

    @property
    def name_width(self) -> int:
        return self.name_length + 2 * PADDING

    @property
    def word_at(self) -> int:
        return self.name_width + PADDING

    @property
    def width(self) -> int:
        return self.name_width + self.word_length + 2 * PADDING

    @property
    def word_end(self) -> int:
        """Where its round corners begin."""
        return self.width - 3


def text_width(text: str) -> int:
    """About how many pixels `text` takes at 11 pixels: it is then fitted to just that, whatever the font."""
    return round(sum(map(_letter_width, text)))


def _letter_width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return 11
    if letter in _WIDE:
        return 10
    return 4 if letter in _NARROW else 7.5 if letter.isupper() else 6.5


@public_page
def page_badge(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    statuses = page.components.visible_to(Viewer.PUBLIC).values_list("status", flat=True)
    impacts = list(page.incidents.visible_to(Viewer.PUBLIC).unresolved().values_list("impact", flat=True))
    headline = page_status(list(statuses), open_impacts=impacts)
    if impacts and headline.indicator == Impact.NONE:
        # Something is wrong that no component shows: never green. The page says so, too.
        word = "1 Open Incident" if len(impacts) == 1 else f"{len(impacts)} Open Incidents"
        return _badge(page, site_name(page), word, worst_impact([Impact.MINOR, *impacts]))
    return _badge(page, site_name(page), headline.description, worst_impact([headline.indicator]))


@public_page
def component_badge(request: HttpRequest, code: str) -> HttpResponse:
    page = current_page(request)
    component = page.components.visible_to(Viewer.PUBLIC).select_related("group").with_codes([code]).first()
    if component is None:
        raise Http404
    status = ComponentStatus(component.status)
    return _badge(page, component.full_name, status.label, impact_of([status]))


def _badge(page: Page, name: str, word: str, impact: Impact) -> HttpResponse:
    name = Truncator(_NOT_XML.sub("", name)).chars(LONGEST_NAME)
    badge = Badge(name, word, COLOURS[impact])
    kind = "image/svg+xml; charset=utf-8"
    return rendered("public/badge.svg", {"badge": badge}, changed_at=page.updated_at, content_type=kind)
