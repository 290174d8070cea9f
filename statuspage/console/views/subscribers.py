from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.directory import directory, unsubscribe
from statuspage.subscribers.models import Subscriber

MAX_SEARCH = 254


@role_required(Role.VIEWER)
def subscriber_list(request: StaffRequest) -> HttpResponse:
    """Viewers see masked addresses, and cannot search: asking for an address would answer whether it is here."""
    page = current_page(request)
    may_read = request.user.has_role(Role.EDITOR)
    state = request.GET.get("state", "")
    search = request.GET.get("q", "").strip()[:MAX_SEARCH] if may_read else ""
    found = directory(page, state=state, search=search, number=request.GET.get("page"), masked=not may_read)
    context = {
        "page": page,
        "directory": found,
        "state": state,
        "search": search,
        "query": urlencode({"state": state, "q": search}),
        "may_read": may_read,
    }
    return render(request, "console/subscribers.html", context)


@role_required(Role.EDITOR)
def unsubscribe_subscriber(request: StaffRequest, code: str) -> HttpResponse:
    """Asks first: only the subscriber can undo it. Then back to where one was in the list."""
    page = current_page(request)
    subscriber = get_object_or_404(Subscriber.objects.all(), page=page, public_id=code)
    query = urlencode({name: request.GET[name] for name in ("state", "q", "page") if request.GET.get(name)})
    if request.method == "POST":
        unsubscribe(subscriber, actor=request.user.actor)
        messages.success(request, f"{subscriber.email} is unsubscribed and will not be told of anything more.")
        return redirect(f"{reverse('console:subscribers')}?{query}" if query else "console:subscribers")
    context = {"page": page, "subscriber": subscriber, "query": query}
    return render(request, "console/subscriber_unsubscribe.html", context)
