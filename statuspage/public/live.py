"""The file that an open page polls: whether the page changed, and when it was last up to date."""

from datetime import datetime

from django.http import HttpRequest, JsonResponse
from django.utils.http import http_date

from incidents.models import Page
from incidents.reporting.uptime import midnight
from statuspage.common.shared_reads import current_time
from statuspage.common.urls import current_page
from statuspage.public.http_caching import public_page

# For pages that are not published again with every event: they poll for the version once they are open.
UNKNOWN = "0"


def version(page: Page, *, now: datetime) -> str:
    """Return a string that changes with every event of `page` and when a new day begins in its time zone."""
    today = midnight(now.astimezone(page.zone).date(), page.zone)
    return f"{int(max(page.updated_at, today).timestamp() * 1_000_000):x}"


@public_page
def live(request: HttpRequest) -> JsonResponse:
    """Return the version and the time. `as_of` is in the page's time zone; Last-Modified is the same time."""
    page, now = current_page(request), current_time()
    as_of = now.astimezone(page.zone).isoformat(timespec="seconds")
    answer = JsonResponse({"version": version(page, now=now), "as_of": as_of})
    answer["Last-Modified"] = http_date(now.timestamp())
    return answer
