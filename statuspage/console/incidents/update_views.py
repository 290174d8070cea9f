from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from incidents.actions.incidents import corrections
from incidents.actions.incidents import incident_lifecycle as actions
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Draft, Incident, IncidentUpdate
from incidents.models.states import Kind
from incidents.text import markdown
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import fill_in, sent
from statuspage.console.incidents.draft_views import is_preview
from statuspage.console.incidents.forms import EditForm, MessageForm, PublishForm, ReopenForm, update_form
from statuspage.console.incidents.publishing_rules import publish_or_defer, success_message
from statuspage.console.incidents.views import incident_context, new_resolve_form

CONFLICT = "Someone else changed this incident while you were writing. Review the changes; your text is kept."


@role_required(Role.EDITOR)
def post_update(request: StaffRequest, public_id: str) -> HttpResponse:
    incident, actor = _incident(request, public_id), request.user.actor
    form = update_form(incident, sent(request))

    def publish() -> IncidentUpdate:
        return actions.post_update(incident, form.update_input(), actor=actor)

    return _respond(request, incident, form, publish, message="Update published.")


@role_required(Role.EDITOR)
def resolve(request: StaffRequest, public_id: str) -> HttpResponse:
    incident, actor = _incident(request, public_id, kind=Kind.INCIDENT), request.user.actor
    form = new_resolve_form(incident, sent(request))

    def publish() -> IncidentUpdate:
        return actions.resolve(incident, form.update_input(), restore=form.restored(), actor=actor)

    return _respond(request, incident, form, publish, message="Incident resolved.")


@role_required(Role.EDITOR)
def reopen(request: StaffRequest, public_id: str) -> HttpResponse:
    incident, actor = _incident(request, public_id, kind=Kind.INCIDENT), request.user.actor
    form = update_form(incident, sent(request), form_class=ReopenForm)

    def publish() -> IncidentUpdate:
        return actions.reopen(incident, form.update_input(), actor=actor)

    return _respond(request, incident, form, publish, message="Incident reopened.")


def _respond(
    request: StaffRequest, incident: Incident, form: PublishForm, publish: Callable[[], IncidentUpdate], *, message: str
) -> HttpResponse:
    def action() -> Incident | IncidentUpdate | Draft:
        return publish_or_defer(
            form, publish, page=incident.page, incident=incident, user=request.user, data=request.POST
        )

    return respond_to_form(request, incident, form, action, message=message)


@role_required(Role.EDITOR)
def edit_update(request: StaffRequest, public_id: str) -> HttpResponse:
    page = request.page
    update = get_object_or_404(IncidentUpdate.objects.of_page(page), public_id=public_id)
    form = EditForm(sent(request), update=update)
    theirs = None
    if "preview" in request.POST:
        form.errors.clear()
    elif form.is_valid():
        try:
            _save_edit(update, form, actor=request.user.actor)
            messages.success(request, "Saved. The edit is shown on the public page.")
            return redirect(console_url(request.page, "incident", update.incident.public_id))
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            fill_in(form, version=str(conflict.current.version))
            theirs = conflict.current
    elif "version" in form.errors:
        fill_in(form, version=str(update.version))
    context = {"page": page, "update": update, "form": form, "previewed": form["body"].value() or ""}
    if theirs:
        context |= {"theirs": theirs, "theirs_by": AuditEntry.objects.last_actor(theirs.public_id)}
        context["difference"] = markdown.change_html(theirs.body, form["body"].value() or "")
    return render_form(request, "console/incidents/edit_update.html", context, form)


def _save_edit(update: IncidentUpdate, form: EditForm, *, actor: Actor) -> None:
    """Save the text and the time in one transaction."""
    version = form.cleaned_data["version"]
    with transaction.atomic():
        if at := form.corrected_time:
            corrections.correct_update_time(update, at=at, actor=actor, expected_version=version)
            version = update.version
        actions.edit_update(update, body=form.cleaned_data["body"], actor=actor, expected_version=version)


def _incident(request: StaffRequest, public_id: str, **filters: str) -> Incident:
    return get_object_or_404(request.page.incidents.with_details(), public_id=public_id, **filters)


def respond_to_form(
    request: StaffRequest,
    incident: Incident,
    form: MessageForm,
    action: Callable[[], Incident | IncidentUpdate | Draft],
    *,
    message: str,
) -> HttpResponse:
    """Run `action` and redirect to the incident's page, or show the page with the form and its errors."""
    newer_update = None
    if is_preview(request, form, incident.page, incident):
        form.errors.clear()
    elif form.is_valid() and not form.warnings:
        try:
            made = action()
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            form.renew(conflict.current.version)
            newer_update = conflict.current.updates.newest_first().first()
        else:
            messages.success(request, success_message(made, message))
            return redirect(console_url(request.page, "incident", incident.public_id))
    elif "version" in form.errors:
        form.renew(incident.version)
    fresh = _incident(request, incident.public_id)
    context = incident_context(request, fresh, form=form if form.is_bound else None, newer_update=newer_update)
    return render_form(request, "console/incidents/incident.html", context, form)
