"""Long lists: a screenful at a time, narrowed to some words, and the address that leads back to it."""

from typing import Any

from django.core.paginator import Page as PageOf
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.utils.http import urlencode

from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest

PER_PAGE = 50
MAX_WORDS = 100


def words_in(request: StaffRequest) -> str:
    """What `console/_words.html` asks for."""
    return " ".join(request.GET.get("q", "").replace("\0", "").split())[:MAX_WORDS]


def paged(rows: Any, request: StaffRequest, *, per_page: int = PER_PAGE) -> PageOf[Any]:
    """The screenful that is asked for, or the nearest that there is."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def words_query(words: str) -> str:
    return urlencode({"q": words}) if words else ""


def back_to(name: str, request: StaffRequest) -> HttpResponseRedirect:
    """To the list of that URL name, on the page and with the words that the form's address had."""
    url = console_url(request.page, name)
    kept = {key: request.GET[key] for key in ("page", "q") if request.GET.get(key)}
    return HttpResponseRedirect(f"{url}?{urlencode(kept)}" if kept else url)
