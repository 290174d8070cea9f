from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from incidents.actions.postmortems import postmortem_lifecycle as actions
from incidents.actions.postmortems import reviews
from incidents.actions.postmortems.action_items import drafts_of
from incidents.errors import EditConflict
from incidents.models import EventKind, Incident, Postmortem
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.postmortems.postmortem_editor import PostmortemEditor, postmortem_editor_of
from statuspage.console.proofreading.remarks import Subject, refuse_remarks, typed_in
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.matching import event_scope_of_draft

CONFLICT = "Somebody else saved this postmortem while you were writing. Both texts are here; nothing is lost."
BUTTONS = ("save", "publish", "ask")


@role_required(Role.EDITOR)
def postmortem(request: StaffRequest, code: str) -> HttpResponse:
    """The pressed button says what to do: save, publish, ask for approval, preview, fill the timeline, or more rows."""
    incident = _incident(request, code)
    desk = postmortem_editor_of(incident, request.POST if request.method == "POST" else None)
    if request.htmx and "preview" in request.POST:
        return render(request, "console/postmortems/editor.html#preview", {"desk": desk, "page": incident.page})
    if request.htmx and "keep" in request.POST:
        return render(request, "console/postmortems/editor.html#kept", {"page": incident.page} | _keep(request, desk))
    pressed = next((button for button in BUTTONS if button in request.POST), "")
    if pressed and _act(request, desk, pressed):
        return redirect(console_url(request.page, "postmortem", incident.public_id))
    return _shown(request, desk, refused=bool(pressed) and desk.is_refused)


@role_required(Role.EDITOR)
def review_postmortem(request: StaffRequest, code: str) -> HttpResponse:
    """Everything that publishing the saved draft would show, as visitors would see it, and what was said about it.

    A POST comments, settles a comment, approves, or gives it back; `version` is the one that its reader saw.
    """
    incident, found = _reviewed(request, code)
    error = None
    if request.method == "POST":
        try:
            messages.success(request, _say(request, found))
        except ValidationError as refusal:
            error = " ".join(refusal.messages)
        except EditConflict:
            error = "Somebody changed it since you opened this page. Read what is new."
        if not error and not _is_comment_left(request):
            return redirect(console_url(request.page, "review_postmortem", incident.public_id))
        incident, found = _reviewed(request, code)
    desk = postmortem_editor_of(incident, None)
    context = {"page": incident.page, "desk": desk, "error": error, "comments": found.comments.all()}
    context |= {"me": request.user.actor.ref, "is_approved": found.is_approved_for(found.content())}
    context["may_approve"] = incident.page.postmortems_need_approval or found.review_requested_at is not None
    return render(request, "console/postmortems/review.html", context, status=422 if error else 200)


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
        return redirect(console_url(request.page, "postmortem", incident.public_id))
    context = {"page": incident.page, "incident": incident, "postmortem": found}
    return render(request, "console/postmortems/retract.html", context)


def _incident(request: StaffRequest, code: str) -> Incident:
    incidents = request.page.incidents.with_details().select_related("page")
    incidents = incidents.prefetch_related("postmortem__action_items")
    return get_object_or_404(incidents, public_id=code)


def _reviewed(request: StaffRequest, code: str) -> tuple[Incident, Postmortem]:
    incident = _incident(request, code)
    return incident, get_object_or_404(Postmortem.objects.select_related("incident__page"), incident=incident)


def _shown(request: StaffRequest, desk: PostmortemEditor, *, refused: bool) -> HttpResponse:
    incident, standing = desk.incident, desk.postmortem
    event_scope = event_scope_of_draft(incident, EventKind.POSTMORTEM_PUBLISHED, [])
    is_approved = standing is not None and standing.is_approved_for(standing.content())
    context = {
        "page": incident.page,
        "desk": desk,
        "refused": refused,
        "audience": Subscriber.objects.audience(incident.page).matching(event_scope).count(),
        "open_comments": standing.comments.open().count() if standing else 0,
        "is_approved": is_approved,
        "must_ask": incident.page.postmortems_need_approval and not is_approved,
    }
    return render(request, "console/postmortems/editor.html", context, status=422 if refused else 200)


def _keep(request: StaffRequest, desk: PostmortemEditor) -> dict[str, Any]:
    """Text and findings as they are typed, so that a crash takes no word. Not what is public at once: action items and
    the start of the impact are saved by the button."""
    if not desk.form.is_valid():
        return {}
    findings = None
    if desk.facts.is_bound and desk.facts.is_valid() and desk.lines.is_valid():
        findings = replace(desk.findings(), impact_started_at=desk.incident.impact_started_at)
    try:
        kept = actions.save_draft(
            desk.incident,
            body=desk.form.cleaned_data["body"],
            findings=findings,
            actor=request.user.actor,
            expected_version=desk.form.cleaned_data["version"],
        )
    except ValidationError as error:
        return {"problem": " ".join(error.messages)}
    except EditConflict:
        return {"problem": "Somebody else has saved this postmortem. Save yours to see both texts."}
    request.session[_kept_key(desk)] = kept.version
    return {"kept": kept}


def _kept_key(desk: PostmortemEditor) -> str:
    """Which version was last kept of a form in this browser."""
    return f"kept-{desk.incident.public_id}"


def _act(request: StaffRequest, desk: PostmortemEditor, pressed: str) -> bool:
    """Save, publish or ask for approval. False if something is wrong: the forms say what."""
    form = desk.form
    if form.is_valid() and pressed != "save":
        form.refuse_outline()
        refuse_remarks(form, Subject(desk.incident.page, typed_in(request.POST), desk.incident, is_postmortem=True))
    if not desk.is_valid:
        return False
    try:
        saved = _write(request, desk, pressed)
    except ValidationError as error:
        desk.add_action_errors(error)
        return False
    except EditConflict as conflict:
        saved = conflict.current
        if pressed == "publish" or not _is_same(saved, desk):
            _show_both(desk, saved)
            return False
    messages.success(request, _said(desk.postmortem, saved, pressed))
    return True


def _write(request: StaffRequest, desk: PostmortemEditor, pressed: str) -> Postmortem:
    """EditConflict if somebody else has saved meanwhile. What was kept of this form just then is no other's."""
    version = desk.form.cleaned_data["version"]
    try:
        return _written(request, desk, pressed, version)
    except EditConflict as conflict:
        if conflict.current.version != request.session.get(_kept_key(desk)):
            raise
        return _written(request, desk, pressed, conflict.current.version)


def _written(request: StaffRequest, desk: PostmortemEditor, pressed: str, version: int | None) -> Postmortem:
    cleaned, actor = desk.form.cleaned_data, request.user.actor
    written: dict[str, Any] = {
        "body": cleaned["body"],
        "action_items": desk.items.drafts,
        "findings": desk.findings() if desk.facts.is_bound else None,
        "expected_version": version,
        "actor": actor,
    }
    if pressed == "publish":
        return actions.publish(desk.incident, notify=cleaned["notify"], at=cleaned["at"], **written)
    saved = actions.save_draft(desk.incident, **written)
    return reviews.ask(saved, actor=actor) if pressed == "ask" else saved


def _say(request: StaffRequest, found: Postmortem) -> str:
    """Do what the pressed button says; what was done. A comment that stands beside an approval is kept with it."""
    actor, version = request.user.actor, _number(request.POST.get("version", ""))
    text = request.POST.get("comment", "").replace("\0", "")
    if "approve" in request.POST:
        reviews.approve(found, note=text, actor=actor, expected_version=version)
        return "Approved. It can be published as it stands."
    if "return" in request.POST:
        reviews.return_for_changes(found, note=text, actor=actor, expected_version=version)
        return "Given back. Your comment says why."
    if code := _number(request.POST.get("settle", request.POST.get("reopen", ""))):
        one = get_object_or_404(found.comments.select_related("postmortem__incident__page"), pk=code)
        reviews.settle(one, actor=actor, settled="settle" in request.POST)
        return "Comment settled." if "settle" in request.POST else "The comment is open again."
    reviews.comment(found, body=text, actor=actor)
    return "Comment added."


def _is_comment_left(request: StaffRequest) -> bool:
    """One was begun, and another button pressed that does not send it."""
    return bool({"settle", "reopen"} & request.POST.keys()) and bool(request.POST.get("comment", "").strip())


def _is_same(current: Postmortem, desk: PostmortemEditor) -> bool:
    """A second click: what it brings has just been saved by the first."""
    typed = [item.content for item in desk.items.drafts]
    same_text = current.draft.split() == desk.form.cleaned_data["body"].split()
    return same_text and typed == drafts_of(current) and desk.findings() == current.stated()


def _show_both(desk: PostmortemEditor, theirs: Postmortem) -> None:
    desk.form.add_error(None, CONFLICT)
    desk.form.renew(theirs.version)
    desk.theirs = desk.postmortem = theirs


def _said(before: Postmortem | None, saved: Postmortem, pressed: str) -> str:
    if pressed == "ask":
        return "Saved. It waits for a second person to approve it."
    if pressed == "save" and saved.is_published:
        return "Saved. Visitors see the action items as they are now, and the rest when you publish the changes."
    if pressed == "save" and before and before.review_requested_at and not saved.review_requested_at:
        return "Draft saved. It changed, so nobody is asked to approve it any more: ask again when it is ready."
    if pressed == "save":
        return "Draft saved. Visitors do not see it."
    if before and before.is_published:
        return "The changes are public."
    return "The postmortem is public."


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
