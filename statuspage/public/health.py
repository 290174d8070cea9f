"""The health check for monitoring Candor itself. It uses no cookie and no session, and is never cached."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from statuspage.notifications.readiness import readiness


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Respond with 200 if everything works, else with 503. The body lists what does not work."""
    state = readiness()
    return JsonResponse(state, status=200 if state["ready"] else 503)
