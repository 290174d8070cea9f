"""Find the page of a request, and build links to a page. No link is built from a request's Host header."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from incidents.models import Page
from statuspage.common.shared_reads import shared


def current_page(request: HttpRequest) -> Page:
    """Return the page whose domain is the request's host name, else the first page. Raise Http404 if no page exists."""
    page = _page_of(request.get_host().rsplit(":", 1)[0])
    if page is None:
        raise Http404("There is no page yet: run bin/serve or bin/manage setup.")
    return page


@shared
def _page_of(host: str) -> Page | None:
    return Page.objects.for_host(host)


def absolute_url(page: Page, path: str) -> str:
    """Return `path` (with a leading slash) as an absolute URL on the page's domain, else below SITE_URL."""
    scheme = urlsplit(settings.SITE_URL).scheme
    return f"{scheme}://{page.domain}{path}" if page.domain else f"{settings.SITE_URL}{path}"


def console_url(page: Page, name: str, *args: object) -> str:
    """Return the path of the console URL `name` for `page`: `console_url(page, "incident", incident.public_id)`."""
    return reverse(f"console:{name}", args=[page.public_id, *args])
