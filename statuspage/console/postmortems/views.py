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
from statuspage.console.proofreading.remarks import Subject, add_blocking_remarks, typed_in
from statuspage.subscribers.models import Subscriber
from statuspage.subscribers.models.event_audience import event_scope_of_draft

CONFLICT = "Someone else saved this postmortem while you were writing. Both versions are shown below."
BUTTONS = ("save", "publish", "ask")


@role_required(Role.EDITOR)
def postmortem(request: StaffRequest, public_id: str) -> HttpResponse:
    """Edit a postmortem. The button selects: save, publish, request approval, preview, fill the timeline, add rows."""
    incident = _incident(request, public_id)
    editor = postmortem_editor_of(incident, request.POST if request.method == "POST" else None)
    if request.htmx and "preview" in request.POST:
        return render(request, "console/postmortems/editor.html#preview", {"editor": editor, "page": incident.page})
    if request.htmx and "keep" in request.POST:
        return render(
            request, "console/postmortems/editor.html#kept", {"page": incident.page} | _autosave(request, editor)
        )
    button = next((button for button in BUTTONS if button in request.POST), "")
    if button and _save_or_publish(request, editor, button):
        return redirect(console_url(request.page, "postmortem", incident.public_id))
    return _render(request, editor, has_errors=bool(button) and editor.has_errors)


@role_required(Role.EDITOR)
def review_postmortem(request: StaffRequest, public_id: str) -> HttpResponse:
    """Show the saved draft as visitors would see it, with its comments.

    A POST comments, resolves or reopens a comment, approves, or requests changes. `version` is the version that the
    reviewer saw.
    """
    incident, postmortem = _reviewed(request, public_id)
    error = None
    if request.method == "POST":
        try:
            messages.success(request, _act_on_review(request, postmortem))
        except ValidationError as validation_error:
            error = " ".join(validation_error.messages)
        except EditConflict:
            error = "Someone else changed this postmortem after you opened this page. Review the changes."
        if not error and not _is_comment_left(request):
            return redirect(console_url(request.page, "review_postmortem", incident.public_id))
        incident, postmortem = _reviewed(request, public_id)
    editor = postmortem_editor_of(incident, None)
    context = {"page": incident.page, "editor": editor, "error": error, "comments": postmortem.comments.all()}
    context |= {"me": request.user.actor.ref, "is_approved": postmortem.is_approved_for(postmortem.content())}
    context["may_approve"] = incident.page.reviews_postmortems or postmortem.review_requested_at is not None
    return render(request, "console/postmortems/review.html", context, status=422 if error else 200)


@role_required(Role.EDITOR)
def retract_postmortem(request: StaffRequest, public_id: str) -> HttpResponse:
    incident = _incident(request, public_id)
    postmortem = get_object_or_404(Postmortem.objects.all(), incident=incident, published_at__isnull=False)
    if request.method == "POST":
        try:
            actions.retract(
                postmortem, actor=request.user.actor, expected_version=_number(request.POST.get("version", ""))
            )
        except EditConflict:
            messages.error(request, "Someone else changed this postmortem. Review the changes.")
        else:
            messages.success(request, "Postmortem unpublished. Its text is a draft again.")
        return redirect(console_url(request.page, "postmortem", incident.public_id))
    context = {"page": incident.page, "incident": incident, "postmortem": postmortem}
    return render(request, "console/postmortems/retract.html", context)


def _incident(request: StaffRequest, public_id: str) -> Incident:
    incidents = request.page.incidents.with_details().select_related("page")
    incidents = incidents.prefetch_related("postmortem__action_items")
    return get_object_or_404(incidents, public_id=public_id)


def _reviewed(request: StaffRequest, public_id: str) -> tuple[Incident, Postmortem]:
    incident = _incident(request, public_id)
    return incident, get_object_or_404(Postmortem.objects.select_related("incident__page"), incident=incident)


def _render(request: StaffRequest, editor: PostmortemEditor, *, has_errors: bool) -> HttpResponse:
    incident, postmortem = editor.incident, editor.postmortem
    scope = event_scope_of_draft(incident, EventKind.POSTMORTEM_PUBLISHED, [])
    is_approved = postmortem is not None and postmortem.is_approved_for(postmortem.content())
    context = {
        "page": incident.page,
        "editor": editor,
        "has_errors": has_errors,
        "audience": Subscriber.objects.audience(incident.page).matching(scope).count(),
        "open_comments": postmortem.comments.open().count() if postmortem else 0,
        "is_approved": is_approved,
        "must_ask": incident.page.reviews_postmortems and not is_approved,
    }
    return render(request, "console/postmortems/editor.html", context, status=422 if has_errors else 200)


def _autosave(request: StaffRequest, editor: PostmortemEditor) -> dict[str, Any]:
    """Autosave the text and the findings. Action items and the start of the impact are public at once, so only the
    buttons save them."""
    if not editor.form.is_valid():
        return {}
    findings = None
    if editor.facts.is_bound and editor.facts.is_valid() and editor.lines.is_valid():
        findings = replace(editor.findings(), impact_started_at=editor.incident.impact_started_at)
    try:
        saved = actions.save_draft(
            editor.incident,
            body=editor.form.cleaned_data["body"],
            findings=findings,
            actor=request.user.actor,
            expected_version=editor.form.cleaned_data["version"],
        )
    except ValidationError as error:
        return {"problem": " ".join(error.messages)}
    except EditConflict:
        return {"problem": "Someone else saved this postmortem. Save your version to compare both."}
    request.session[_autosave_key(editor)] = saved.version
    return {"saved": saved}


def _autosave_key(editor: PostmortemEditor) -> str:
    """Return the session key of the version that this browser autosaved last."""
    return f"kept-{editor.incident.public_id}"


def _save_or_publish(request: StaffRequest, editor: PostmortemEditor, button: str) -> bool:
    """Save, publish or request approval. Return False if the forms have errors."""
    form = editor.form
    if form.is_valid() and button != "save":
        form.reject_bare_outline()
        add_blocking_remarks(
            form, Subject(editor.incident.page, typed_in(request.POST), editor.incident, is_postmortem=True)
        )
    if not editor.is_valid:
        return False
    try:
        saved = _save(request, editor, button)
    except ValidationError as error:
        editor.add_action_errors(error)
        return False
    except EditConflict as conflict:
        saved = conflict.current
        if button == "publish" or not _is_same(saved, editor):
            _show_both(editor, saved)
            return False
    messages.success(request, _success_message(editor.postmortem, saved, button))
    return True


def _save(request: StaffRequest, editor: PostmortemEditor, button: str) -> Postmortem:
    """Save, and raise EditConflict if someone else saved in the meantime. An autosave of this form does not count."""
    version = editor.form.cleaned_data["version"]
    try:
        return _save_with_version(request, editor, button, version)
    except EditConflict as conflict:
        if conflict.current.version != request.session.get(_autosave_key(editor)):
            raise
        return _save_with_version(request, editor, button, conflict.current.version)


def _save_with_version(request: StaffRequest, editor: PostmortemEditor, button: str, version: int | None) -> Postmortem:
    cleaned, actor = editor.form.cleaned_data, request.user.actor
    fields: dict[str, Any] = {
        "body": cleaned["body"],
        "action_items": editor.items.drafts,
        "findings": editor.findings() if editor.facts.is_bound else None,
        "expected_version": version,
        "actor": actor,
    }
    if button == "publish":
        return actions.publish(editor.incident, notify=cleaned["notify"], at=cleaned["at"], **fields)
    saved = actions.save_draft(editor.incident, **fields)
    return reviews.request_approval(saved, actor=actor) if button == "ask" else saved


def _act_on_review(request: StaffRequest, postmortem: Postmortem) -> str:
    """Run the action of the button, and return the success message. An approval includes the comment."""
    actor, version = request.user.actor, _number(request.POST.get("version", ""))
    text = request.POST.get("comment", "").replace("\0", "")
    if "approve" in request.POST:
        reviews.approve(postmortem, note=text, actor=actor, expected_version=version)
        return "Postmortem approved."
    if "return" in request.POST:
        reviews.return_for_changes(postmortem, note=text, actor=actor, expected_version=version)
        return "Changes requested."
    if comment_id := _number(request.POST.get("settle", request.POST.get("reopen", ""))):
        comment = get_object_or_404(postmortem.comments.select_related("postmortem__incident__page"), pk=comment_id)
        reviews.set_resolved(comment, actor=actor, resolved="settle" in request.POST)
        return "Comment resolved." if "settle" in request.POST else "Comment reopened."
    reviews.comment(postmortem, body=text, actor=actor)
    return "Comment added."


def _is_comment_left(request: StaffRequest) -> bool:
    """Whether a comment was typed, but the button does not submit it."""
    return bool({"settle", "reopen"} & request.POST.keys()) and bool(request.POST.get("comment", "").strip())


def _is_same(current: Postmortem, editor: PostmortemEditor) -> bool:
    """Whether the submission equals the saved version, as after a double click."""
    typed = [item.content for item in editor.items.drafts]
    same_text = current.draft.split() == editor.form.cleaned_data["body"].split()
    return same_text and typed == drafts_of(current) and editor.findings() == current.stated()


def _show_both(editor: PostmortemEditor, theirs: Postmortem) -> None:
    editor.form.add_error(None, CONFLICT)
    editor.form.renew(theirs.version)
    editor.theirs = editor.postmortem = theirs


def _success_message(before: Postmortem | None, saved: Postmortem, button: str) -> str:
    if button == "ask":
        return "Postmortem saved. Approval requested."
    if button == "save" and saved.is_published:
        return (
            "Postmortem saved. Action items are updated on the public page; other changes appear when you publish them."
        )
    if button == "save" and before and before.review_requested_at and not saved.review_requested_at:
        return "Draft saved. The change withdrew the approval request. Request approval again when it is ready."
    if button == "save":
        return "Draft saved."
    if before and before.is_published:
        return "Changes published."
    return "Postmortem published."


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None
