"""Pagination and search of long lists, and redirects back to them."""

from typing import Any

from django.core.paginator import Page as PageOf
from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.utils.http import urlencode

from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest

PER_PAGE = 50
MAX_SEARCH = 100


def search_terms(request: StaffRequest) -> str:
    """Return the search terms of `console/_search.html`."""
    return " ".join(request.GET.get("q", "").replace("\0", "").split())[:MAX_SEARCH]


def paged(rows: Any, request: StaffRequest, *, per_page: int = PER_PAGE) -> PageOf[Any]:
    """Return the requested page of `rows`, or the nearest that exists."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def search_query(search: str) -> str:
    return urlencode({"q": search}) if search else ""


def back_to(name: str, request: StaffRequest) -> HttpResponseRedirect:
    """Redirect to the list `name`, with the page number and search of the form's URL."""
    url = console_url(request.page, name)
    query = {key: request.GET[key] for key in ("page", "q") if request.GET.get(key)}
    return HttpResponseRedirect(f"{url}?{urlencode(query)}" if query else url)
