from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents.actions import corrections
from incidents.actions import incidents as actions
from incidents.actor import Actor
from incidents.errors import EditConflict
from incidents.models import AuditEntry, Incident, IncidentUpdate
from incidents.models.states import Kind
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.fields import fill_in, sent
from statuspage.console.forms.incidents import EditForm, MessageForm, update_form
from statuspage.console.views.incidents import incident_context, new_resolve_form

CONFLICT = "Somebody else changed this while you were writing. Read what is new; your text is still here."


@role_required(Role.EDITOR)
@require_POST
def preview(request: StaffRequest) -> HttpResponse:
    """The text as visitors will see it, for htmx."""
    text = next((str(value) for key, value in request.POST.items() if key.endswith("body")), "")
    return render(request, "console/_preview.html", {"previewed": text, "page": current_page(request)})


@role_required(Role.EDITOR)
def post_update(request: StaffRequest, code: str) -> HttpResponse:
    incident = _incident(request, code)
    form = update_form(incident, sent(request))

    def act() -> IncidentUpdate:
        cleaned = form.cleaned_data
        fields = form.action_fields() | {"status": cleaned["status"], "components": cleaned["components"]}
        return actions.post_update(incident, actor=request.user.actor, **fields)

    return finish(request, incident, form, act, said="Update published.")


@role_required(Role.EDITOR)
def resolve(request: StaffRequest, code: str) -> HttpResponse:
    incident = _incident(request, code, kind=Kind.INCIDENT)
    form = new_resolve_form(incident, sent(request))

    def act() -> IncidentUpdate:
        return actions.resolve(incident, actor=request.user.actor, restore=form.restored(), **form.action_fields())

    return finish(request, incident, form, act, said="Resolved.")


@role_required(Role.EDITOR)
def reopen(request: StaffRequest, code: str) -> HttpResponse:
    incident = _incident(request, code, kind=Kind.INCIDENT)
    form = update_form(incident, sent(request))

    def act() -> IncidentUpdate:
        cleaned = form.cleaned_data
        fields = form.action_fields() | {"status": cleaned["status"], "components": cleaned["components"]}
        return actions.reopen(incident, actor=request.user.actor, **fields)

    return finish(request, incident, form, act, said="Reopened.")


@role_required(Role.EDITOR)
def edit_update(request: StaffRequest, code: str) -> HttpResponse:
    page = current_page(request)
    update = get_object_or_404(IncidentUpdate.objects.of_page(page), public_id=code)
    form = EditForm(sent(request), update=update)
    theirs = None
    if "preview" in request.POST:
        form.errors.clear()
    elif form.is_valid():
        try:
            _save_edit(update, form, actor=request.user.actor)
            messages.success(request, "Saved. Visitors see what changed.")
            return redirect("console:incident", update.incident.public_id)
        except ValidationError as error:
            for field, said in error.message_dict.items():
                form.add_error(field, list(said))
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            fill_in(form, version=str(conflict.current.version))
            theirs = conflict.current
    elif "version" in form.errors:
        fill_in(form, version=str(update.version))
    context = {"page": page, "update": update, "form": form, "previewed": form["body"].value() or ""}
    if theirs:
        context |= {"theirs": theirs, "theirs_by": AuditEntry.objects.last_actor(theirs.public_id)}
    return render(request, "console/edit_update.html", context, status=422 if form.errors else 200)


def _save_edit(update: IncidentUpdate, form: EditForm, *, actor: Actor) -> None:
    """Text and time together, or neither."""
    version = form.cleaned_data["version"]
    with transaction.atomic():
        if at := form.corrected_time:
            corrections.correct_update_time(update, at=at, actor=actor, expected_version=version)
            version = update.version
        actions.edit_update(update, body=form.cleaned_data["body"], actor=actor, expected_version=version)


def _incident(request: StaffRequest, code: str, **about: str) -> Incident:
    return get_object_or_404(current_page(request).incidents.with_timeline(), public_id=code, **about)


def finish(
    request: StaffRequest,
    incident: Incident,
    form: MessageForm,
    act: Callable[[], object],
    *,
    said: str,
) -> HttpResponse:
    """Do it and go to the incident's page; or show that page with the form as it was typed and what is wrong."""
    meanwhile = None
    if "preview" in request.POST:
        form.errors.clear()
    elif form.is_valid() and not form.warnings:
        try:
            act()
        except ValidationError as error:
            form.refuse(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            form.renew(conflict.current.version)
            meanwhile = conflict.current.updates.newest_first().first()
        else:
            messages.success(request, said)
            return redirect("console:incident", incident.public_id)
    elif "version" in form.errors:
        form.renew(incident.version)
    fresh = _incident(request, incident.public_id)
    context = incident_context(fresh, form=form if form.is_bound else None, meanwhile=meanwhile)
    return render(request, "console/incident.html", context, status=422 if form.errors or form.warnings else 200)
