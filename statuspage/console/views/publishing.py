from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.subscribers.models import Publication


@role_required(Role.VIEWER)
def publishing(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    context = {"page": page, "now": timezone.now(), "publications": Publication.objects.of_page(page)}
    return render(request, "console/publishing.html", context)
