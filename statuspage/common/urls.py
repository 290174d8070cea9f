"""Which page a request is for, and absolute links to it: never built from what a request claims its host is."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest

from incidents.models import Page


def current_page(request: HttpRequest) -> Page:
    """The page of this host name, else the install's first. Http404 while there is none."""
    page = Page.objects.for_host(request.get_host().rsplit(":", 1)[0])
    if page is None:
        raise Http404("There is no page yet: run bin/serve or bin/manage setup.")
    return page


def absolute_url(page: Page, path: str) -> str:
    """`path` (with its leading slash) on the page's own host, else below SITE_URL."""
    scheme = urlsplit(settings.SITE_URL).scheme
    return f"{scheme}://{page.domain}{path}" if page.domain else f"{settings.SITE_URL}{path}"
