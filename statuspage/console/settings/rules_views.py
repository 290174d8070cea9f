"""Publishing rules, and reminders to staff about overdue updates."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from incidents.actions.pages.page_settings import set_publishing_rules, set_staff_reminders
from incidents.models import Page
from incidents.reminders.overdue_updates import Reminders
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.settings.reminders_form import RemindersForm
from statuspage.console.settings.rules_form import RulesForm


@role_required(Role.OWNER)
def rules(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = RulesForm(sent(request), instance=page)
    if form.is_valid():
        set_publishing_rules(page, actor=request.user.actor, **form.cleaned_data)
        messages.success(request, "Publishing rules saved.")
        return redirect(console_url(request.page, "rules"))
    return render_form(request, "console/settings/rules.html", _context(page) | {"form": form}, form)


@role_required(Role.OWNER)
@require_POST
def staff_reminders(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = RemindersForm(request.POST, reminders=Reminders.read(page.staff_reminders))
    if form.is_valid():
        try:
            set_staff_reminders(page, Reminders.checked(**form.cleaned_data), actor=request.user.actor)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Reminders saved. They also apply to open incidents.")
            return redirect(console_url(request.page, "rules"))
    return render(request, "console/settings/rules.html", _context(page) | {"reminders": form}, status=422)


def _context(page: Page) -> dict[str, Any]:
    reminders = RemindersForm(None, reminders=Reminders.read(page.staff_reminders))
    return {"page": page, "form": RulesForm(None, instance=page), "reminders": reminders}
