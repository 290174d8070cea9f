from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents import clock
from incidents.actions.components import component_lifecycle as component_actions
from incidents.models import ActionItem, Draft, Postmortem, Proposal
from incidents.models.states import ComponentStatus
from incidents.reminders.overdue_updates import Reminders, overdue_update_of
from incidents.reminders.unrestored_components import is_not_operational, unrestored_components
from incidents.status import page_status
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.incidents.forms import update_form
from statuspage.console.maintenances.next_step import next_step
from statuspage.subscribers.models import Subscriber

MAX_NOTE = 500


@role_required(Role.VIEWER)
def dashboard(request: StaffRequest) -> HttpResponse:
    page = request.page
    components = list(page.components.active().in_page_order())
    incidents = list(page.incidents.not_ended().newest_first().with_updates())
    open_incidents = [incident for incident in incidents if not incident.is_maintenance and not incident.hidden_at]
    maintenances = [incident for incident in incidents if incident.is_maintenance]
    maintenances.sort(key=lambda maintenance: (maintenance.window[0], maintenance.pk))
    now, reminders = clock.now(), Reminders.read(page.staff_reminders)
    is_editor = request.user.has_role(Role.EDITOR)
    context = {
        "page": page,
        "now": now,
        "newest": open_incidents[0] if open_incidents else None,
        "headline": page_status(
            [component.status for component in components if component.is_shown],
            open_impacts=[incident.impact for incident in open_incidents],
        ),
        "not_operational": [component for component in components if component.status != ComponentStatus.OPERATIONAL],
        "operational": [component for component in components if component.status == ComponentStatus.OPERATIONAL],
        "statuses": ComponentStatus.choices,
        "open_incidents": [
            (incident, update_form(incident), overdue_update_of(incident, now=now, reminders=reminders))
            for incident in open_incidents
        ],
        "unrestored": unrestored_components(page, now=now)
        if reminders.still_red and any(map(is_not_operational, components))
        else [],
        "maintenances": [(maintenance, next_step(maintenance, now=now)) for maintenance in maintenances],
        "recent": page.incidents.ended().newest_first()[:5],
        "overdue": list(ActionItem.objects.overdue(page, today=now.astimezone(page.zone).date())),
        "audience": Subscriber.objects.audience(page).count(),
        "mail_to_files": not settings.EMAIL_URL,
        "submitted": Draft.objects.of_page(page).submitted() if is_editor else [],
        "proposals": Proposal.objects.of_page(page).waiting() if is_editor else [],
        "reviews": Postmortem.objects.of_page(page).waiting_for_approval() if is_editor else [],
        "me": request.user.actor.ref,
    }
    return render(request, "console/dashboard.html", context)


@role_required(Role.EDITOR)
@require_POST
def set_component_status(request: StaffRequest, public_id: str) -> HttpResponse:
    component = get_object_or_404(request.page.components.active(), public_id=public_id)
    note = request.POST.get("note", "")
    try:
        if len(note) > MAX_NOTE:
            raise ValidationError(f"The note is {len(note)} characters long. The maximum is {MAX_NOTE}.")
        component = component_actions.set_status(
            component, request.POST.get("status", ""), actor=request.user.actor, note=note
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{component.name} set to {component.get_status_display()}.")
    return redirect(console_url(request.page, "dashboard"))
