"""HTTP caching of public pages: any cache may store them, but has to revalidate them."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.http import http_date
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page, require_safe

from statuspage.common.json_responses import for_any_origin

View = Callable[..., HttpResponse]

# Seconds for which a shared cache may respond without revalidating; for a day if the application does not respond.
# Browsers always revalidate, so that editors see what they published.
SHARED_SECONDS = 5
STALE_IF_ERROR = 86_400
NAMED_SECONDS = 31_536_000


def public_page(view: View) -> View:
    """Allow only GET and HEAD, add cache headers and an ETag, and answer conditional requests."""
    with_cache_headers = cache_control(public=True, max_age=0, s_maxage=SHARED_SECONDS, stale_if_error=STALE_IF_ERROR)
    cached = with_cache_headers(conditional_page(view))
    checked: View = require_safe(cached)
    return checked


def named_by_content(view: View) -> View:
    """Like `public_page`, for a URL whose content never changes: caches need not revalidate it."""
    with_cache_headers = cache_control(public=True, max_age=NAMED_SECONDS, immutable=True)
    checked: View = require_safe(with_cache_headers(conditional_page(view)))
    return checked


def open_page(view: View) -> View:
    """Like `public_page`, for scripts of any origin: each response has the CORS header, 304 responses too."""
    page = public_page(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        return for_any_origin(page(request, *args, **kwargs))

    return answer


def rendered(
    template: str,
    context: dict[str, object],
    *,
    changed_at: datetime | None = None,
    content_type: str = "text/html; charset=utf-8",
    status: int = 200,
) -> HttpResponse:
    """Render a template without the request, so that it cannot use the session or user: no cookie, no `Vary`."""
    response = HttpResponse(render_to_string(template, context), content_type=content_type, status=status)
    if changed_at:
        response["Last-Modified"] = http_date(changed_at.timestamp())
    return response
