from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions import components as component_actions
from incidents.leftovers import Leftover, is_red, leftovers
from incidents.models import ActionItem, Component, Draft, Incident, Page
from incidents.models.states import ComponentStatus
from incidents.silence import Reminders, silence_of
from incidents.status import page_status
from incidents.visibility import Viewer
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.incidents import update_form
from statuspage.console.planned import next_step
from statuspage.subscribers.models import ChannelState, Heartbeat, Publication, Subscriber

STALE = timedelta(seconds=90)
MAX_NOTE = 500


@role_required(Role.VIEWER)
def dashboard(request: StaffRequest) -> HttpResponse:
    page = current_page(request)
    components = list(page.components.active().in_page_order())
    shown = page.components.visible_to(Viewer.PUBLIC).values_list("status", flat=True)
    open_incidents = list(page.incidents.unresolved().newest_first().with_timeline())
    now, reminders = timezone.now(), Reminders.read(page.staff_reminders)
    context = {
        "page": page,
        "now": now,
        "headline": page_status(list(shown), open_impacts=[incident.impact for incident in open_incidents]),
        "troubled": [component for component in components if component.status != ComponentStatus.OPERATIONAL],
        "well": [component for component in components if component.status == ComponentStatus.OPERATIONAL],
        "statuses": ComponentStatus.choices,
        "open_incidents": [
            (one, update_form(one), silence_of(one, now=now, reminders=reminders)) for one in open_incidents
        ],
        "leftovers": _leftovers(page, components, open_incidents, now) if reminders.still_red else [],
        "maintenances": [(one, next_step(one, now=now)) for one in page.incidents.ahead().soonest_first()],
        "recent": page.incidents.ended().newest_first()[:5],
        "overdue": ActionItem.objects.overdue(page, today=now.astimezone(page.zone).date()),
        "audience": Subscriber.objects.audience(page).count(),
        "notices": _notices(page),
        "submitted": Draft.objects.of_page(page).submitted() if request.user.has_role(Role.EDITOR) else [],
        "me": request.user.actor.ref,
    }
    return render(request, "console/dashboard.html", context)


def _leftovers(
    page: Page, components: list[Component], open_incidents: list[Incident], now: datetime
) -> list[Leftover]:
    """No query while everything in trouble is named by an open incident."""
    named = {component.pk for incident in open_incidents for component in incident.affected_components()}
    return leftovers(page, now=now) if any(is_red(one) and one.pk not in named for one in components) else []


def _notices(page: Page) -> dict[str, object]:
    return {
        "mail_to_files": not settings.EMAIL_URL,
        "channels": ChannelState.objects.in_trouble(),
        "publications": Publication.objects.in_trouble(page),
        "dispatcher_silent": not Heartbeat.objects.is_alive("dispatcher", within=STALE),
    }


@role_required(Role.EDITOR)
@require_POST
def set_component_status(request: StaffRequest, code: str) -> HttpResponse:
    component = get_object_or_404(current_page(request).components.active(), public_id=code)
    note = request.POST.get("note", "")
    try:
        if len(note) > MAX_NOTE:
            raise ValidationError(f"The note is {len(note)} characters long; {MAX_NOTE} are allowed.")
        component = component_actions.set_status(
            component, request.POST.get("status", ""), actor=request.user.actor, note=note
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, f"{component.name} is now {component.get_status_display()}.")
    return redirect("console:dashboard")
