from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from statuspage.accounts import people
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required


@role_required(Role.VIEWER)
def account(request: StaffRequest) -> HttpResponse:
    """What somebody decides for themselves. Viewers get no mails, so there is nothing to decide but the password."""
    page = current_page(request)
    if request.method == "POST":
        people.set_mails(page, request.user, wants_reminders="wants_reminders" in request.POST)
        messages.success(request, "Saved.")
        return redirect("console:account")
    return render(request, "console/account.html", {"page": page})
