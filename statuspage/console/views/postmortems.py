from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from incidents.actions import postmortems as actions
from incidents.errors import EditConflict
from incidents.models import ActionItem, EventKind, Incident, Postmortem
from incidents.shorthand import Clock
from statuspage.accounts.models import Role
from statuspage.common.urls import current_page
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.forms.postmortems import ActionItemRows, PostmortemForm, action_items, postmortem_form
from statuspage.console.proofreading import Subject, refuse_remarks, typed_in
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.concerns import concern_of_draft

CONFLICT = "Somebody else saved this postmortem while you were writing. Both texts are here; nothing is lost."


@dataclass
class Desk:
    """Everything on the page: what stands, what was typed, and what somebody else saved meanwhile."""

    incident: Incident
    postmortem: Postmortem | None
    form: PostmortemForm
    items: ActionItemRows
    theirs: Postmortem | None = None

    @property
    def clock(self) -> Clock:
        return Clock(self.incident.page.zone, self.incident.happened_at)

    @property
    def items_on_view(self) -> list[Any]:
        """For the preview: what is typed, else what stands."""
        if self.items.is_bound:
            self.items.is_valid()
            return self.items.drafts
        return list(self.postmortem.action_items.all()) if self.postmortem else []

    @property
    def is_refused(self) -> bool:
        return self.form.is_bound and bool(self.form.errors or self.items.total_error_count())


@role_required(Role.EDITOR)
def postmortem(request: StaffRequest, code: str) -> HttpResponse:
    """The pressed button says what to do: save, publish, preview, or give more rows for action items."""
    incident = _incident(request, code)
    desk = _desk(request, incident)
    if request.htmx and "preview" in request.POST:
        return render(request, "console/postmortem.html#preview", {"desk": desk, "page": incident.page})
    if ("save" in request.POST or "publish" in request.POST) and _act(request, desk):
        return redirect("console:postmortem", incident.public_id)
    # The rows that a preview or “more rows” sends back are not judged yet.
    refused = desk.is_refused and ("save" in request.POST or "publish" in request.POST)
    concern = concern_of_draft(incident, EventKind.POSTMORTEM_PUBLISHED, [])
    audience = Subscriber.objects.audience(incident.page).concerned_by(concern).count()
    context = {"page": incident.page, "desk": desk, "audience": audience, "refused": refused}
    return render(request, "console/postmortem.html", context, status=422 if refused else 200)


@role_required(Role.EDITOR)
def retract_postmortem(request: StaffRequest, code: str) -> HttpResponse:
    incident = _incident(request, code)
    found = get_object_or_404(Postmortem.objects.all(), incident=incident, published_at__isnull=False)
    if request.method == "POST":
        try:
            actions.retract(found, actor=request.user.actor, expected_version=_number(request.POST.get("version", "")))
        except EditConflict:
            messages.error(request, "Somebody changed the postmortem meanwhile. Look at it once more.")
        else:
            messages.success(request, "The postmortem is off the page. Its text is a draft again.")
        return redirect("console:postmortem", incident.public_id)
    context = {"page": incident.page, "incident": incident, "postmortem": found}
    return render(request, "console/postmortem_retract.html", context)


def _incident(request: StaffRequest, code: str) -> Incident:
    incidents = current_page(request).incidents.select_related("postmortem", "page")
    return get_object_or_404(incidents, public_id=code)


def _desk(request: StaffRequest, incident: Incident) -> Desk:
    standing = getattr(incident, "postmortem", None)
    if request.method != "POST":
        items = standing.action_items.all() if standing else []
        return Desk(incident, standing, postmortem_form(standing, page=incident.page), action_items(items=items))
    rows = action_items(request.POST, more_rows="more_rows" in request.POST)
    return Desk(incident, standing, PostmortemForm(request.POST, page=incident.page), rows)


def _act(request: StaffRequest, desk: Desk) -> bool:
    """Save or publish. False if something is wrong: the forms say what."""
    form, publishing = desk.form, "publish" in request.POST
    if form.is_valid() and publishing:
        form.refuse_outline()
        refuse_remarks(form, Subject(desk.incident.page, typed_in(request.POST), desk.incident, is_postmortem=True))
    if not (form.is_valid() & desk.items.is_valid()):
        return False
    written: dict[str, Any] = {
        "body": form.cleaned_data["body"],
        "action_items": desk.items.drafts,
        "expected_version": form.cleaned_data["version"],
        "actor": request.user.actor,
    }
    try:
        if publishing:
            notify, at = form.cleaned_data["notify"], form.cleaned_data["at"]
            actions.publish(desk.incident, notify=notify, at=at, **written)
        else:
            actions.save_draft(desk.incident, **written)
    except ValidationError as error:
        form.refuse(error)
        return False
    except EditConflict as conflict:
        if publishing or not _is_same(conflict.current, desk):
            _show_both(desk, conflict.current)
            return False
    messages.success(request, _said(desk.postmortem, publishing=publishing))
    return True


def _is_same(current: Postmortem, desk: Desk) -> bool:
    """A second click: what it brings has just been saved by the first."""
    typed = [(item.text, item.owner, item.due_on, item.url, item.done) for item in desk.items.drafts]
    saved = [_content(item) for item in current.action_items.all()]
    return current.draft.split() == desk.form.cleaned_data["body"].split() and typed == saved


def _content(item: ActionItem) -> tuple[object, ...]:
    return item.text, item.owner, item.due_on, item.url, item.done_at is not None


def _show_both(desk: Desk, theirs: Postmortem) -> None:
    desk.form.add_error(None, CONFLICT)
    desk.form.renew(theirs.version)
    desk.theirs = desk.postmortem = theirs


def _said(before: Postmortem | None, *, publishing: bool) -> str:
    if not publishing:
        return "Draft saved. Visitors do not see it."
    if before and before.is_published:
        return "The changes are public."
    return "The postmortem is public."


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
