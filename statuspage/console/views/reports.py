from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from incidents.actions.impact import set_impact_start
from incidents.actions.pages import set_published_figures
from incidents.visibility import Viewer
from statuspage.accounts.models import Role
from statuspage.common.analytics import analytics as analytics_of
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.fields import sent
from statuspage.console.forms.reports import ImpactStartForm, PublishFiguresForm
from statuspage.console.views.incidents import incident_context


@role_required(Role.VIEWER)
def analytics(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    figures = analytics_of(page, request.GET.get("page", "1"), viewer=Viewer.STAFF, now=timezone.now())
    if figures is None:
        raise Http404
    return render(request, "console/analytics.html", {"page": page, "figures": figures})


@role_required(Role.OWNER)
def publish_figures(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    form = PublishFiguresForm(
        sent(request), initial={"analytics": page.analytics_public, "reports": page.reports_public}
    )
    if form.is_valid():
        set_published_figures(page, actor=request.user.actor, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("console:publish_figures")
    return render(request, "console/publish_figures.html", {"page": page, "form": form})


@role_required(Role.EDITOR)
def impact_start(request: StaffRequest, code: str) -> HttpResponse:
    incident = get_object_or_404(current_page(request).incidents.with_timeline(), public_id=code)
    form = ImpactStartForm(sent(request), incident=incident)
    if form.is_valid():
        try:
            set_impact_start(incident, form.cleaned_data["impact_started_at"], actor=request.user.actor)
        except ValidationError as error:
            form.add_error("impact_started_at", error.message_dict["impact_started_at"])
        else:
            messages.success(request, "Saved. Analytics count from it.")
            return redirect("console:incident", incident.public_id)
    context = incident_context(incident) | {"impact_form": form}
    return render(request, "console/incident.html", context, status=422 if form.errors else 200)
