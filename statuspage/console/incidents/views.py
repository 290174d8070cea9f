from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from incidents import clock
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actor import Actor
from incidents.models import AuditEntry, Component, Draft, DraftStep, Event, Incident, IncidentUpdate, Page
from incidents.models.states import Kind
from incidents.reminders.overdue_updates import Reminders, overdue_update_of
from incidents.reminders.unrestored_components import unrestored_components_of
from incidents.text import markdown
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.flash import FlashMessage, fragment
from statuspage.console.incidents.draft_views import activity_context, is_preview, offered
from statuspage.console.incidents.filter_form import IncidentFilter
from statuspage.console.incidents.forms import DeclareForm, MessageForm, ResolveForm, UpdateForm, update_form
from statuspage.console.incidents.publishing_rules import publish_or_defer, success_message
from statuspage.console.maintenances.forms import step_forms
from statuspage.console.maintenances.next_step import next_step
from statuspage.console.reports.forms import ImpactStartForm
from statuspage.notifications.models import Delivery, Progress
from statuspage.subscribers.models import Subscriber

PER_PAGE = 50
TABS = (("", "All"), ("open", "Open"), ("incidents", "Incidents"), ("maintenance", "Maintenance"))
RESOLVED_TEXT = "This incident has been resolved."


@role_required(Role.VIEWER)
def incident_list(request: StaffRequest) -> HttpResponse:
    page = request.page
    everything = page.incidents.all()
    tabs = {
        "": everything,
        "open": everything.unresolved(),
        "incidents": everything.incidents(),
        "maintenance": everything.maintenances(),
    }
    show = request.GET.get("show", "") if request.GET.get("show") in tabs else ""
    form = IncidentFilter(request.GET, page=page)
    listed = Paginator(form.filtered(tabs[show]).newest_first(), PER_PAGE).get_page(request.GET.get("page"))
    query = "&".join(part for part in (f"show={show}" if show else "", form.query) if part)
    context: dict[str, Any] = {"page": page, "form": form, "listed": listed, "query": query}
    context |= {"show": show, "tabs": TABS}
    if show == "maintenance" and not form.query and listed.number == 1:
        context["series"] = page.maintenance_series.active().newest_first()
    return render_form(request, "console/incidents/list.html", context, form)


@role_required(Role.EDITOR)
def declare(request: StaffRequest) -> HttpResponse:
    page = request.page
    form = DeclareForm(sent(request), page=page, initial={"notify": True, "status": "investigating"})
    draft = None if form.is_bound else offered(request, page, None, DraftStep.DECLARE)
    if draft:
        form.initial.update(form.initial_from(draft))
    if is_preview(request, form, page):
        form.errors.clear()
    elif form.is_valid():
        try:
            made = publish_or_defer(
                form,
                lambda: _declare(form, page, actor=request.user.actor),
                page=page,
                incident=None,
                user=request.user,
                data=request.POST,
            )
        except ValidationError as error:
            form.add_action_errors(error)
        else:
            messages.success(request, success_message(made, "Incident published."))
            is_out = isinstance(made, Incident)
            return (
                redirect(console_url(request.page, "incident", made.public_id))
                if is_out
                else redirect(console_url(request.page, "dashboard"))
            )
    audience = Subscriber.objects.audience(page).count()
    context = {
        "page": page,
        "form": form,
        "draft": draft,
        "audience": audience,
        "incident_templates": page.incident_templates.offered(Kind.INCIDENT, ()),
        "previewed": form["body"].value() or "",
    }
    return render_form(request, "console/incidents/declare.html", context, form)


def _declare(form: DeclareForm, page: Page, *, actor: Actor) -> Incident:
    names = ("title", "body", "status", "impact", "components", "notify", "at", "submission_key")
    return actions.open_incident(page, actor=actor, **{name: form.cleaned_data[name] for name in names})


@role_required(Role.VIEWER)
def incident(request: StaffRequest, public_id: str) -> HttpResponse:
    incident = get_object_or_404(request.page.incidents.with_details(), public_id=public_id)
    if request.htmx:
        progress = delivery_progress(incident)
        context = {"incident": incident, "delivery_progress": progress}
        return fragment(
            request,
            "console/incidents/incident.html#deliveries",
            context,
            *(completion_messages(progress) if progress else []),
        )
    return render(request, "console/incidents/incident.html", incident_context(request, incident))


@dataclass(frozen=True)
class DeliveryProgress:
    """The progress of the notifications about the newest event. `waiting` means that they are not fanned out yet."""

    event: Event
    progress: Progress
    waiting: bool

    @property
    def is_over(self) -> bool:
        return not self.waiting and self.progress.is_done


def delivery_progress(incident: Incident) -> DeliveryProgress | None:
    event = incident.events.notifying().last()
    return delivery_progress_of(event) if event else None


def delivery_progress_of(event: Event) -> DeliveryProgress:
    return DeliveryProgress(event, Delivery.objects.progress(event), waiting=event.fanned_out_at is None)


def completion_messages(delivery_progress: DeliveryProgress) -> list[FlashMessage]:
    """Return a message for a polling request when all notifications are sent."""
    if not delivery_progress.is_over:
        return []
    failed = delivery_progress.progress.failed
    text = "All notifications sent." if delivery_progress.progress.total else "No matching subscribers."
    return [
        FlashMessage(
            f"{failed} notification{'s' * (failed != 1)} could not be delivered." if failed else text, is_seen=True
        )
    ]


def incident_context(
    request: StaffRequest,
    incident: Incident,
    *,
    form: MessageForm | None = None,
    newer_update: IncidentUpdate | None = None,
) -> dict[str, Any]:
    """Return the context of the incident's page. A rejected `form` keeps its values, whatever the status is now.

    An update to an incident that was resolved in the meantime becomes the form that reopens it, and vice versa.
    """
    page, affected = incident.page, incident.affected_components()
    resolve_form = form if isinstance(form, ResolveForm) else None
    other_form = form if isinstance(form, UpdateForm) else None
    actions_context: dict[str, Any]
    if incident.is_maintenance:
        actions_context = {"steps": step_forms(incident, form), "next_step": next_step(incident, now=clock.now())}
    else:
        actions_context = {"resolve_form": resolve_form or new_resolve_form(incident)}
    main_form = other_form or update_form(incident)
    draft, around = None, Draft.objects.for_incident(incident, request.user.actor)
    if form is None and request.user.has_role(Role.EDITOR):
        step = DraftStep.REOPEN if incident.is_resolved else DraftStep.UPDATE
        if draft := around.offered(step):
            main_form.initial.update(main_form.initial_from(draft))
        if not incident.is_maintenance and (resolve_draft := around.offered(DraftStep.RESOLVE)):
            actions_context["resolve_form"].initial.update(actions_context["resolve_form"].initial_from(resolve_draft))
            actions_context["resolve_draft"] = resolve_draft
    return (
        actions_context
        | activity_context(request, incident, around)
        | reminder_context(incident, affected)
        | {
            "page": page,
            "draft": draft,
            "incident": incident,
            "affected": affected,
            "form": main_form,
            "incident_templates": page.incident_templates.offered(incident.kind, affected)
            if request.user.has_role(Role.EDITOR)
            else [],
            "newer_update": newer_update,
            "difference": _difference(newer_update, form),
            "drafts_here": [item for item in (draft, actions_context.get("resolve_draft")) if item],
            "newer_update_by": AuditEntry.objects.last_actor(incident.public_id) if newer_update else "",
            "audience": Subscriber.objects.audience(page).count(),
            "delivery_progress": delivery_progress(incident),
            "impact_form": ImpactStartForm(incident=incident),
            "previewed": main_form["body"].value() or "",
        }
    )


def reminder_context(incident: Incident, affected: list[Component]) -> dict[str, Any]:
    """Return the reminders for staff on the incident's page."""
    now, reminders = clock.now(), Reminders.read(incident.page.staff_reminders)
    return {
        "overdue_update": overdue_update_of(incident, now=now, reminders=reminders),
        "unrestored_components": unrestored_components_of(incident, affected, now=now) if reminders.still_red else [],
    }


def _difference(theirs: IncidentUpdate | None, form: MessageForm | None) -> str:
    """Return the difference between the text of `form` and the update that someone else published."""
    if theirs is None or form is None or "body" not in form.fields:
        return ""
    return markdown.change_html(theirs.body, form["body"].value() or "")


def new_resolve_form(incident: Incident, data: Any = None) -> ResolveForm:
    initial = {"body": RESOLVED_TEXT, "notify": incident.updates.all()[0].notify, "version": incident.version}
    offered = actions.restorable_components(incident)
    return ResolveForm(
        data, incident=incident, offered=dict(offered), initial=initial, prefix="resolve", auto_id="resolve_%s"
    )
