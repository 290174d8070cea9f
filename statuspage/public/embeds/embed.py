"""A notice for other sites: a script adds a small frame to a corner during an incident (contract section 2.8).

Any site may embed the frame. No other page can be framed.
"""

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.clickjacking import xframe_options_exempt

from incidents import clock
from incidents.models.states import Impact
from incidents.templatetags.candor import site_name
from incidents.visibility import Viewer
from statuspage.common.urls import absolute_url, current_page
from statuspage.public.http_caching import open_page, public_page, rendered


@open_page
def script(request: HttpRequest) -> HttpResponse:
    page = current_page(request)
    context: dict[str, object] = {
        "frame_url": absolute_url(page, reverse("public:embed_frame")),
        "title": site_name(page),
    }
    kind = "text/javascript; charset=utf-8"
    return rendered("public/embed/script.js", context, changed_at=page.updated_at, content_type=kind)


# The outermost decorators, so that a 304 response has the same policy.
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})
@public_page
def frame(request: HttpRequest) -> HttpResponse:
    """Show open incidents and maintenances in progress. With `?test`, show a sample."""
    page = current_page(request)
    visible = page.incidents.visible_to(Viewer.PUBLIC)
    running = [*visible.unresolved().newest_first(), *visible.running().soonest_first()]
    context: dict[str, object] = {
        "page": page,
        "home_url": absolute_url(page, "/"),
        "first": running[0] if running else None,
        "more": len(running) - 1,
        "codes": " ".join(incident.public_id for incident in running),
    }
    if "test" in request.GET:
        sample = {"title": "This is a test", "impact": Impact.MINOR, "last_update_at": clock.now()}
        context |= {"first": sample, "more": 0, "codes": "test"}
    return rendered("public/embed/frame.html", context)
