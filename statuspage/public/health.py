"""For machines that watch Candor itself. No cookie, no session, and never kept by a cache."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from statuspage.notifications.readiness import readiness


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 while everything works, else 503; the body says what does not."""
    state = readiness()
    return JsonResponse(state, status=200 if state["ready"] else 503)
