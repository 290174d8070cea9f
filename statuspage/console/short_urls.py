from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import resolve
from django.utils.encoding import escape_uri_path

from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required


@role_required(Role.VIEWER)
def add_page(request: StaffRequest, rest: str = "") -> HttpResponse:
    """Redirect `/console/<rest>` to the same URL of a page. A POST is repeated there with its body (307).

    Raise Http404 if the console has no such URL.
    """
    path = console_url(request.page, "dashboard") + rest
    resolve(path)
    query, address = request.META["QUERY_STRING"], escape_uri_path(path)
    return redirect(f"{address}?{query}" if query else address, preserve_request=request.method not in ("GET", "HEAD"))
