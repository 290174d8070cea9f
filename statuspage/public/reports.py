"""Analytics and service level reports, where the page's owners let visitors read them; 404 elsewhere."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from incidents.visibility import Viewer
from statuspage.common.analytics import analytics as analytics_of
from statuspage.common.urls import current_page
from statuspage.public.http import public_page, rendered


@public_page
def analytics(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    if not page.analytics_public:
        raise Http404
    figures = analytics_of(page, request.GET.get("page", "1"), viewer=Viewer.PUBLIC, now=timezone.now())
    if figures is None:
        raise Http404
    return rendered("public/analytics.html", {"page": page, "figures": figures}, changed_at=page.updated_at)
