from django.http import HttpResponse
from django.shortcuts import render

from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.retention.models import Pruning
from statuspage.retention.rules import rules


@role_required(Role.VIEWER)
def retention(request: StaffRequest) -> HttpResponse:
    """Show how long data is kept, and the result of the last run of each rule."""
    prunings = {pruning.rule: pruning for pruning in Pruning.objects.all()}
    rows = [(rule, prunings.get(rule.name)) for rule in rules()]
    return render(request, "console/settings/retention.html", {"page": request.page, "rows": rows})
