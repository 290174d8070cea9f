"""Drafts: autosave, preview, withdrawal and approval."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from csp.decorators import csp_replace
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from incidents import clock
from incidents.actions.drafts import draft_lifecycle as actions
from incidents.errors import EditConflict
from incidents.models import Draft, DraftState, DraftStep, Incident, Page, Proposal
from incidents.models.drafts import IncidentDrafts
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.fields import PREFIX
from statuspage.console.flash import FlashMessage, fragment
from statuspage.console.incident_templates.forms import fill_from_template
from statuspage.console.incidents import previews
from statuspage.console.incidents.forms import MessageForm
from statuspage.console.incidents.publishing_rules import form_data_of

# An author who typed within this time is shown as writing now.
PRESENT = timedelta(seconds=90)


@role_required(Role.EDITOR)
@require_POST
def save_draft(request: StaffRequest, step: str, public_id: str = "") -> HttpResponse:
    """Save a draft: automatically while typing (htmx), or with a button (without JavaScript)."""
    page, incident = request.page, _incident(request, public_id)
    if step not in DraftStep.values or (step == DraftStep.DECLARE) != (incident is None):
        return HttpResponse(status=404)
    posted = {name.rpartition("-")[2]: str(value) for name, value in request.POST.items()}
    version = posted.get("version", "")
    draft = actions.save(
        page,
        incident,
        step,
        form_data=form_data_of(request.POST),
        author=request.user.actor,
        version=int(version) if version.isdecimal() and len(version) < 9 else None,
        public_id=_clean(posted.get("draft", "")),
        submission_key=_clean(posted.get("submission_key", ""))[:64],
    )
    if request.htmx and draft is None:
        return HttpResponse(status=204)
    if request.htmx:
        # Announce the first autosave only.
        flash_messages = [] if posted.get("draft") else [FlashMessage("Drafts are saved automatically.", is_seen=True)]
        return fragment(
            request, "console/incidents/_drafts.html#saved", {"page": page, "draft": draft}, *flash_messages
        )
    messages.success(request, "Draft saved.")
    return (
        redirect(console_url(request.page, "incident", incident.public_id))
        if incident
        else redirect(console_url(request.page, "declare"))
    )


@role_required(Role.EDITOR, writes=False)
@require_POST
def preview(request: StaffRequest) -> HttpResponse:
    """Return the preview for htmx. `tab` is page, mail or webhook."""
    typed = {key.rpartition("-")[2]: str(value) for key, value in request.POST.items()}
    tab, step = typed.get("tab", "page"), typed.get("step", "")
    body = next((str(value) for key, value in request.POST.items() if key.endswith("body")), "")
    context: dict[str, Any] = {"previewed": body, "page": request.page}
    if tab in ("mail", "webhook") and step in DraftStep.values and body.strip():
        context |= _rendered_preview(request, tab, step, typed | {"body": body})
    return render(request, "console/incidents/_preview.html", context)


def is_preview(request: StaffRequest, form: MessageForm, page: Page, incident: Incident | None = None) -> bool:
    """Whether the pressed button publishes nothing: "Preview", or "Use", which fills the form from a template."""
    if "use_template" in request.POST:
        if template := page.incident_templates.with_public_id(_clean(request.POST.get("template", ""))).first():
            fill_from_template(form, template, page=page, incident=incident)
        return True
    return "preview" in request.POST


def _rendered_preview(request: StaffRequest, tab: str, step: str, typed: dict[str, str]) -> dict[str, Any]:
    page, incident = request.page, _incident(request, typed.get("incident", ""))
    statuses = {name.removeprefix(PREFIX): value for name, value in typed.items() if name.startswith(PREFIX) and value}
    values = {name: typed.get(name, "") for name in ("title", "status", "impact")}
    try:
        notification = previews.notification_of(
            previews.PreviewInput(step, typed["body"], statuses=statuses, **values), page, incident
        )
    except ValidationError as error:
        return {"problems": error.messages}
    if tab == "webhook":
        return {"webhook": previews.webhook_text(notification)}
    email = previews.email_of(notification)
    return {"email": email, "email_text": previews.email_text(email)}


@role_required(Role.EDITOR)
def draft(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show a submitted draft for review."""
    draft = _draft(request, public_id)
    return render(request, "console/incidents/draft.html", _context(draft, request))


@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "sandbox": [""]})
@role_required(Role.EDITOR)
def draft_mail(request: StaffRequest, public_id: str) -> HttpResponse:
    """Return the HTML of the email. The policy blocks scripts and external resources."""
    draft = _draft(request, public_id)
    try:
        email = previews.email_of(_notification(draft))
    except ValidationError as error:
        return HttpResponse(" ".join(error.messages), content_type="text/plain; charset=utf-8")
    return HttpResponse(email.html)


@role_required(Role.EDITOR)
@require_POST
def act_on_draft(request: StaffRequest, public_id: str) -> HttpResponse:
    draft = _draft(request, public_id)
    by: dict[str, Any] = {"actor": request.user.actor, "seen": _clean(request.POST.get("seen", ""))}
    note = _clean(request.POST.get("note", ""))
    actions_by_name: dict[str, tuple[Callable[[], object], str]] = {
        "take_back": (
            lambda: actions.take_back(draft, **by),
            "Update withdrawn. Subscribers were not notified.",
        ),
        "return": (
            lambda: actions.take_back(draft, note=note, **by),
            "Draft returned to its author.",
        ),
        "publish": (lambda: actions.publish(draft, seen=by["seen"]), "Update published."),
        "approve": (lambda: actions.approve(draft, **by), "Draft approved."),
        "discard": (draft.delete, "Draft discarded."),
    }
    if (verb := request.POST.get("act", "")) not in actions_by_name or (
        verb == "discard" and not _may_discard(draft, request)
    ):
        return HttpResponse(status=400)
    action, message = actions_by_name[verb]
    try:
        action()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except EditConflict:
        messages.error(request, actions.OVERTAKEN)
    else:
        messages.success(request, message)
    if draft.incident:
        return redirect(console_url(request.page, "incident", draft.incident.public_id))
    return redirect(console_url(request.page, "declare" if verb == "take_back" else "dashboard"))


def _may_discard(draft: Draft, request: StaffRequest) -> bool:
    return draft.state == DraftState.WRITING and draft.author_key == request.user.actor.key


@role_required(Role.EDITOR)
def presence(request: StaffRequest, public_id: str) -> HttpResponse:
    """Return, for htmx, the activity on the incident, and whether it changed after `version`."""
    incident = get_object_or_404(request.page.incidents.all(), public_id=public_id)
    version = request.GET.get("version", "")
    context = activity_context(request, incident) | {"incident": incident, "shown": version}
    # No automatic reload, because the user may be typing.
    context["is_old"] = version not in ("", str(incident.version))
    return render(request, "console/incidents/_drafts.html#activity", context)


def activity_context(request: StaffRequest, incident: Incident, around: IncidentDrafts | None = None) -> dict[str, Any]:
    """Return who else is writing about the incident, and the submitted drafts."""
    now = clock.now()
    if not request.user.has_role(Role.EDITOR):
        return {"page": incident.page, "now": now}
    around = around or Draft.objects.for_incident(incident, request.user.actor)
    return {
        "page": incident.page,
        "now": now,
        "writing": around.by_others(since=now - PRESENT),
        "submitted": around.submitted,
        "proposals": Proposal.objects.of_page(request.page).about(incident).waiting(),
    }


def _context(draft: Draft, request: StaffRequest) -> dict[str, Any]:
    context: dict[str, Any] = {"page": draft.page, "draft": draft, "now": clock.now()}
    try:
        notification = _notification(draft)
    except ValidationError as error:
        return context | {"problems": error.messages}
    email, content = previews.email_of(notification), draft.read_content()
    return context | {
        "previewed": content.body if content else draft.body,
        "update": notification.update,
        "affected": notification.update.affected.all() if notification.update else [],
        "email": email,
        "email_text": previews.email_text(email),
        "webhook": previews.webhook_text(notification),
    }


def _notification(draft: Draft) -> Any:
    content = draft.read_content()
    preview = previews.of_content(content) if content else previews.PreviewInput(draft.step, draft.body, draft.title)
    incident = Incident.objects.with_details().get(pk=draft.incident_id) if draft.incident_id else None
    return previews.notification_of(preview, draft.page, incident)


def _draft(request: StaffRequest, public_id: str) -> Draft:
    return get_object_or_404(Draft.objects.of_page(request.page), public_id=public_id)


def _clean(text: str) -> str:
    """Remove NUL characters, which PostgreSQL cannot store."""
    return text.replace("\0", "")


def _incident(request: StaffRequest, public_id: str) -> Incident | None:
    public_id = _clean(public_id)
    if not public_id:
        return None
    return get_object_or_404(request.page.incidents.with_details(), public_id=public_id)


def offered(request: StaffRequest, page: Page, incident: Incident | None, step: str) -> Draft | None:
    """Return the author's unfinished draft for the form."""
    return Draft.objects.for_form(page, incident, step, request.user.actor).first()
