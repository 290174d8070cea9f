from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from statuspage.accounts import sessions, user_actions
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.people.devices import device_of


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
    context = {
        "page": page,
        "sessions": [(session, device_of(session.device)) for session in sessions.own_sessions(request.user)],
        "current": sessions.current_digest(request),
    }
    return render(request, "console/people/account.html", context)


@role_required(Role.VIEWER)
def end_sessions(request: StaffRequest) -> HttpResponse:
    """End the session with the digest `session` or, without one, all except the current one."""
    if request.method == "POST":
        ended = request.POST.get("session", "")
        own = sessions.own_sessions(request.user).exclude(session_key=sessions.current_digest(request))
        chosen = own.filter(session_key=ended) if ended else own
        count = user_actions.end_sessions(request.page, chosen, by=request.user)
        messages.success(request, f"{count} session{'' if count == 1 else 's'} ended.")
    return redirect(console_url(request.page, "account"))
