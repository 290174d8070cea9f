"""Texts on their way: kept while they are typed, previewed, taken back, approved."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from csp.decorators import csp_replace
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from incidents.actions.drafts import draft_lifecycle as actions
from incidents.errors import EditConflict
from incidents.models import Draft, DraftState, DraftStep, Incident, Page
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

# Whoever typed within this time is shown as writing now.
PRESENT = timedelta(seconds=90)


@role_required(Role.EDITOR)
@require_POST
def save_draft(request: StaffRequest, step: str, code: str = "") -> HttpResponse:
    """Keep what is typed. By htmx while typing, by a button without JavaScript."""
    page, incident = request.page, _incident(request, code)
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
        # Read out once, not with every pause of the typing.
        said = [] if posted.get("draft") else [FlashMessage("A draft is kept while you type.", is_seen=True)]
        return fragment(request, "console/incidents/_drafts.html#saved", {"page": page, "draft": draft}, *said)
    messages.success(request, "Draft saved. It is here when you come back.")
    return (
        redirect(console_url(request.page, "incident", incident.public_id))
        if incident
        else redirect(console_url(request.page, "declare"))
    )


@role_required(Role.EDITOR)
@require_POST
def preview(request: StaffRequest) -> HttpResponse:
    """The text as its readers will see it, for htmx: `tab` is page, mail or webhook."""
    typed = {key.rpartition("-")[2]: str(value) for key, value in request.POST.items()}
    tab, step = typed.get("tab", "page"), typed.get("step", "")
    body = next((str(value) for key, value in request.POST.items() if key.endswith("body")), "")
    context: dict[str, Any] = {"previewed": body, "page": request.page}
    if tab in ("mail", "webhook") and step in DraftStep.values and body.strip():
        context |= _told(request, tab, step, typed | {"body": body})
    return render(request, "console/incidents/_preview.html", context)


def is_preview(request: StaffRequest, form: MessageForm, page: Page, incident: Incident | None = None) -> bool:
    """Whether the pressed button publishes nothing: "Preview", or "Use", which fills the form from a template."""
    if "use_template" in request.POST:
        if template := page.incident_templates.with_public_id(_clean(request.POST.get("template", ""))).first():
            fill_from_template(form, template, page=page, incident=incident)
        return True
    return "preview" in request.POST


def _told(request: StaffRequest, tab: str, step: str, typed: dict[str, str]) -> dict[str, Any]:
    page, incident = request.page, _incident(request, typed.get("incident", ""))
    statuses = {name.removeprefix(PREFIX): value for name, value in typed.items() if name.startswith(PREFIX) and value}
    said = {name: typed.get(name, "") for name in ("title", "status", "impact")}
    try:
        notification = previews.notification_of(
            previews.PreviewInput(step, typed["body"], statuses=statuses, **said), page, incident
        )
    except ValidationError as error:
        return {"problems": error.messages}
    if tab == "webhook":
        return {"webhook": previews.webhook_text(notification)}
    email = previews.mail_of(notification)
    return {"email": email, "email_text": previews.mail_text(email)}


@role_required(Role.EDITOR)
def draft(request: StaffRequest, code: str) -> HttpResponse:
    """What was sent, for whoever approves it or wants to change it."""
    found = _draft(request, code)
    return render(request, "console/incidents/draft.html", _context(found, request))


@csp_replace({"default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "sandbox": [""]})
@role_required(Role.EDITOR)
def draft_mail(request: StaffRequest, code: str) -> HttpResponse:
    """The mail's HTML by itself: nothing in it can load or run anything."""
    found = _draft(request, code)
    try:
        email = previews.mail_of(_notification(found))
    except ValidationError as error:
        return HttpResponse(" ".join(error.messages), content_type="text/plain; charset=utf-8")
    return HttpResponse(email.html)


@role_required(Role.EDITOR)
@require_POST
def act_on_draft(request: StaffRequest, code: str) -> HttpResponse:
    found = _draft(request, code)
    by: dict[str, Any] = {"actor": request.user.actor, "seen": _clean(request.POST.get("seen", ""))}
    note = _clean(request.POST.get("note", ""))
    verbs: dict[str, tuple[Callable[[], object], str]] = {
        "take_back": (
            lambda: actions.take_back(found, **by),
            "Taken back. Nobody was told.",
        ),
        "return": (
            lambda: actions.take_back(found, note=note, **by),
            "Returned to its author.",
        ),
        "publish": (lambda: actions.publish(found, seen=by["seen"]), "Published."),
        "approve": (lambda: actions.approve(found, **by), "Approved."),
        "discard": (found.delete, "Discarded."),
    }
    if (verb := request.POST.get("act", "")) not in verbs or (verb == "discard" and not _may_discard(found, request)):
        return HttpResponse(status=400)
    act, said = verbs[verb]
    try:
        act()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except EditConflict:
        messages.error(request, actions.OVERTAKEN)
    else:
        messages.success(request, said)
    if found.incident:
        return redirect(console_url(request.page, "incident", found.incident.public_id))
    return redirect(console_url(request.page, "declare" if verb == "take_back" else "dashboard"))


def _may_discard(found: Draft, request: StaffRequest) -> bool:
    return found.state == DraftState.WRITING and found.author_key == request.user.actor.key


@role_required(Role.EDITOR)
def presence(request: StaffRequest, code: str) -> HttpResponse:
    """For htmx: who else is writing about it, what waits, and whether something was published since (`version`)."""
    incident = get_object_or_404(request.page.incidents.all(), public_id=code)
    version = request.GET.get("version", "")
    context = beside(request, incident) | {"incident": incident, "shown": version}
    # No reload: it would take the page away from somebody who is typing.
    context["is_old"] = version not in ("", str(incident.version))
    return render(request, "console/incidents/_drafts.html#beside", context)


def beside(request: StaffRequest, incident: Incident, around: IncidentDrafts | None = None) -> dict[str, Any]:
    """What the incident's page shows of other people's texts and of those on their way."""
    now = timezone.now()
    if not request.user.has_role(Role.EDITOR):
        return {"page": incident.page, "now": now}
    around = around or Draft.objects.for_incident(incident, request.user.actor)
    return {
        "page": incident.page,
        "now": now,
        "writing": around.by_others(since=now - PRESENT),
        "submitted": around.submitted,
    }


def _context(found: Draft, request: StaffRequest) -> dict[str, Any]:
    context: dict[str, Any] = {"page": found.page, "draft": found, "now": timezone.now()}
    try:
        notification = _notification(found)
    except ValidationError as error:
        return context | {"problems": error.messages}
    email, content = previews.mail_of(notification), found.read_content()
    return context | {
        "previewed": content.body if content else found.body,
        "update": notification.update,
        "affected": notification.update.affected.all() if notification.update else [],
        "email": email,
        "email_text": previews.mail_text(email),
        "webhook": previews.webhook_text(notification),
    }


def _notification(found: Draft) -> Any:
    content = found.read_content()
    unsent = previews.of_content(content) if content else previews.PreviewInput(found.step, found.body, found.title)
    incident = Incident.objects.with_details().get(pk=found.incident_id) if found.incident_id else None
    return previews.notification_of(unsent, found.page, incident)


def _draft(request: StaffRequest, code: str) -> Draft:
    return get_object_or_404(Draft.objects.of_page(request.page), public_id=code)


def _clean(text: str) -> str:
    """Without the one character that PostgreSQL keeps in no text."""
    return text.replace("\0", "")


def _incident(request: StaffRequest, code: str) -> Incident | None:
    code = _clean(code)
    if not code:
        return None
    return get_object_or_404(request.page.incidents.with_details(), public_id=code)


def offered(request: StaffRequest, page: Page, incident: Incident | None, step: str) -> Draft | None:
    """What its author was typing into that form, to go on with."""
    return Draft.objects.for_form(page, incident, step, request.user.actor).first()
