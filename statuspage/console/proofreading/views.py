from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions.pages import page_settings as actions
from incidents.models import IncidentUpdate
from incidents.proofreading import ProofreadingOptions
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.proofreading.forms import ProofreadingForm
from statuspage.console.proofreading.remarks import Subject, lines_about, typed_in


@role_required(Role.EDITOR, writes=False)
@require_POST
def remarks(request: StaffRequest) -> HttpResponse:
    """Return, for htmx, the remarks on the text of a form. The query string identifies the subject."""
    page, query = request.page, request.GET
    incident = update = None
    if public_id := query.get("update"):
        update = get_object_or_404(IncidentUpdate.objects.of_page(page), public_id=public_id)
        incident = update.incident
    elif public_id := query.get("incident"):
        incident = get_object_or_404(page.incidents.all(), public_id=public_id)
    prefix = query.get("prefix", "")
    typed = typed_in(request.POST, prefix)
    subject = Subject(page, typed, incident, update, prefix, is_postmortem="postmortem" in query)
    return render(request, "console/proofreading/_remark_list.html", {"lines": lines_about(subject), "prefix": prefix})


@role_required(Role.OWNER)
def proofreading(request: StaffRequest) -> HttpResponse:
    """Edit the proofreading settings of the page."""
    page = request.page
    form = ProofreadingForm(sent(request), options=ProofreadingOptions.read(page.proofreading))
    if form.is_valid():
        try:
            actions.set_proofreading(page, form.options(), actor=request.user.actor)
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, "Proofreading settings saved.")
            return redirect(console_url(request.page, "proofreading"))
    context = {"page": page, "form": form}
    return render_form(request, "console/proofreading/settings.html", context, form)
