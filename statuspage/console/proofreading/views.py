from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions.pages import page_settings as actions
from incidents.models import IncidentUpdate
from incidents.proofreading import Options
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.proofreading.forms import ProofreadingForm
from statuspage.console.proofreading.remarks import Subject, lines_about, typed_in


@role_required(Role.EDITOR)
@require_POST
def remarks(request: StaffRequest) -> HttpResponse:
    """What to look at once more in the text of a form, for htmx. The address says what the text is about."""
    page, asked = request.page, request.GET
    incident = update = None
    if code := asked.get("update"):
        update = get_object_or_404(IncidentUpdate.objects.of_page(page), public_id=code)
        incident = update.incident
    elif code := asked.get("incident"):
        incident = get_object_or_404(page.incidents.all(), public_id=code)
    prefix = asked.get("prefix", "")
    typed = typed_in(request.POST, prefix)
    subject = Subject(page, typed, incident, update, prefix, is_postmortem="postmortem" in asked)
    return render(request, "console/proofreading/_remark_list.html", {"lines": lines_about(subject), "prefix": prefix})


@role_required(Role.OWNER)
def proofreading(request: StaffRequest) -> HttpResponse:
    """What the proofreader looks for on this page, and whether it may say no."""
    page = request.page
    form = ProofreadingForm(sent(request), options=Options.read(page.proofreading))
    if form.is_valid():
        try:
            actions.set_proofreading(page, form.options(), actor=request.user.actor)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Saved. Every text is read so from now on.")
            return redirect(console_url(request.page, "proofreading"))
    context = {"page": page, "form": form}
    return render_form(request, "console/proofreading/settings.html", context, form)
