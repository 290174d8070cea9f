"""The health checks for monitoring Candor itself. They use no cookie and no session, and are never cached."""

from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from statuspage.notifications.readiness import readiness
from statuspage.notifications.write_probe import can_write
from statuspage.publishing.system_notices import system_notices


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """Respond with 200 if everything works, else with 503. The body lists what does not work."""
    try:
        reasons = [notice.text for notice in system_notices() if notice.is_critical]
        state = readiness()
    except DatabaseTrouble:
        reasons, state = [], {"ready": False, "checks": {"database": {"ok": False}}}
    if not state["checks"]["database"]["ok"]:
        reasons = ["The database does not respond."]
    elif not can_write():
        state["checks"]["database"] = {"ok": False}
        reasons.append("The database cannot be written.")
    body = {"ready": not reasons, "reasons": reasons, "checks": state["checks"]}
    return JsonResponse(body, status=503 if reasons else 200)


@never_cache
@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """Respond while the process runs, whatever the state of the database."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")
