from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect

from incidents.actions.pages import page_settings as actions
from incidents.reporting.uptime import Weights
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.settings.uptime_form import WeightsForm


@role_required(Role.OWNER)
def uptime(request: StaffRequest) -> HttpResponse:
    """Set what counts as downtime."""
    page = request.page
    form = WeightsForm(sent(request), weights=Weights.for_page(page))
    if form.is_valid():
        try:
            actions.set_uptime_weights(page, form.weights(), actor=request.user.actor)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(
                request, 'Saved. Uptime was recalculated. Earlier figures remain reproducible with "as of" a date.'
            )
            return redirect(console_url(request.page, "uptime"))
    return render_form(request, "console/settings/uptime.html", {"page": page, "form": form}, form)
