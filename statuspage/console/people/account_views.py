from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from statuspage.accounts import user_actions
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required


@role_required(Role.VIEWER)
def account(request: StaffRequest) -> HttpResponse:
    """Personal email settings. Viewers receive no reminders, so their setting is not shown and does not change."""
    page = request.page
    if request.method == "POST":
        user = request.user
        reminders = "wants_reminders" in request.POST if user.has_role(Role.EDITOR) else user.wants_reminders
        user_actions.set_email_preferences(
            page, user, wants_reminders=reminders, wants_overdue="wants_overdue" in request.POST
        )
        messages.success(request, "Account settings saved.")
        return redirect(console_url(request.page, "account"))
    return render(request, "console/people/account.html", {"page": page})
