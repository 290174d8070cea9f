from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import choose_encoder

from statuspage.common.client_ip import is_from_this_machine
from statuspage.monitoring.collector import Collector

PLAIN = "text/plain; charset=utf-8"


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Respond with all metrics in the text format of Prometheus, or in OpenMetrics if the client accepts it."""
    if not _may_read(request):
        expected = "the header Authorization: Bearer METRICS_TOKEN" if settings.METRICS_TOKEN else "a local client"
        return HttpResponse(f"Metrics require {expected}. See docs/monitoring.md.\n", status=403, content_type=PLAIN)
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(Collector()), content_type=content_type)


def _may_read(request: HttpRequest) -> bool:
    """With METRICS_TOKEN, only the token counts. Without it, only programs on this machine may read the metrics."""
    if not settings.METRICS_TOKEN:
        return is_from_this_machine(request)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and constant_time_compare(token.strip(), settings.METRICS_TOKEN)
