from django.http import HttpResponse
from django.shortcuts import render

from incidents.models.states import ComponentStatus
from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.commands import offer


@role_required(Role.VIEWER)
def commands(request: StaffRequest) -> HttpResponse:
    """The command bar as a page of its own; for htmx, only what it found."""
    page, words = request.page, request.GET.get("q", "")
    context = {
        "page": page,
        "words": words,
        "offer": offer(page, request.user, words),
        "statuses": ComponentStatus.choices,
    }
    template = "console/_commands.html#found" if request.htmx else "console/commands.html"
    return render(request, template, context)
