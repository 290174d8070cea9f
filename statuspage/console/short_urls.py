from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import resolve

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
    query = request.META["QUERY_STRING"]
    return redirect(f"{path}?{query}" if query else path, preserve_request=request.method not in ("GET", "HEAD"))
