from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render

from incidents.actions.pages import edit_page
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.fields import sent
from statuspage.console.forms.settings import SettingsForm


@role_required(Role.OWNER)
def page_settings(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    form = SettingsForm(sent(request), page=page)
    if form.is_valid():
        try:
            edit_page(page, actor=request.user.actor, **form.changes)
        except ValidationError as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved. The page is being published anew.")
            return redirect("console:settings")
    return render(request, "console/settings.html", {"page": page, "form": form}, status=422 if form.errors else 200)
