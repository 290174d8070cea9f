from django.http import HttpResponse
from django.shortcuts import render

from incidents.models.states import ComponentStatus
from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.command_bar import find_commands


@role_required(Role.VIEWER)
def commands(request: StaffRequest) -> HttpResponse:
    """The command bar as a page; for htmx, only the results."""
    page, search = request.page, request.GET.get("q", "")
    context = {
        "page": page,
        "search": search,
        "results": find_commands(page, request.user, search),
        "statuses": ComponentStatus.choices,
    }
    template = "console/_commands.html#results" if request.htmx else "console/commands.html"
    return render(request, template, context)
