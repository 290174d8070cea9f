"""What an open page asks now and then: whether something happened, and until when it is known that nothing did."""

from datetime import datetime

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.http import http_date

from incidents.models import Page
from incidents.reporting.uptime import midnight
from statuspage.common.urls import current_page
from statuspage.public.http import public_page

# Of a page that is not made anew with every event: it finds out for itself once it is open.
UNKNOWN = "0"


def version(page: Page, *, now: datetime) -> str:
    """Another one as soon as something happened on `page`, or a new day began there; the same otherwise."""
    today = midnight(now.astimezone(page.zone).date(), page.zone)
    return f"{int(max(page.updated_at, today).timestamp() * 1_000_000):x}"


@public_page
def live(request: HttpRequest) -> JsonResponse:
    """`as_of` is on the page's clock. Its Last-Modified says the same on that of whoever serves it."""
    page, now = current_page(request), timezone.now()
    as_of = now.astimezone(page.zone).isoformat(timespec="seconds")
    answer = JsonResponse({"version": version(page, now=now), "as_of": as_of})
    answer["Last-Modified"] = http_date(now.timestamp())
    return answer
