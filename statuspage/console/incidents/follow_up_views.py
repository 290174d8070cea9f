from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect

from incidents.actions.incidents import follow_ups as actions
from incidents.errors import EditConflict
from incidents.models import DraftStep, Incident
from incidents.models.states import ENDED
from statuspage.accounts.models import Role
from statuspage.common.urls import console_url
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.action_form import render_form
from statuspage.console.fields import sent
from statuspage.console.incidents.draft_views import is_preview, offered
from statuspage.console.incidents.forms import FollowUpForm
from statuspage.console.incidents.publishing_rules import publish_or_defer, success_message
from statuspage.console.incidents.update_views import CONFLICT
from statuspage.subscribers.models import Subscriber


@role_required(Role.EDITOR)
def follow_up(request: StaffRequest, public_id: str) -> HttpResponse:
    """An update to what is over: what was done since."""
    incidents = request.page.incidents.with_details().select_related("page")
    incident = get_object_or_404(incidents, public_id=public_id, status__in=ENDED)
    form = FollowUpForm(sent(request), incident=incident, proposed=_proposal(incident))
    draft = None if form.is_bound else offered(request, incident.page, incident, DraftStep.FOLLOW_UP)
    if draft:
        form.initial.update(form.initial_from(draft))
    if is_preview(request, form, incident.page, incident):
        form.errors.clear()
    elif form.is_valid():
        try:
            made = publish_or_defer(
                form,
                lambda: actions.follow_up(incident, form.update_input(), actor=request.user.actor),
                page=incident.page,
                incident=incident,
                user=request.user,
                data=request.POST,
            )
        except ValidationError as error:
            form.add_action_errors(error)
        except EditConflict as conflict:
            form.add_error(None, CONFLICT)
            form.renew(conflict.current.version)
        else:
            messages.success(request, success_message(made, "Update published. The incident stays resolved."))
            return redirect(console_url(request.page, "incident", incident.public_id))
    context = {"page": incident.page, "incident": incident, "form": form, "draft": draft}
    context |= {"audience": Subscriber.objects.audience(incident.page).count(), "previewed": form["body"].value() or ""}
    return render_form(request, "console/incidents/follow_up.html", context, form)


def _proposal(incident: Incident) -> str:
    """Return the text about the completed action items, if all items of the published postmortem are done."""
    postmortem = getattr(incident, "postmortem", None)
    return actions.text_of(postmortem) if postmortem and postmortem.is_all_done else ""
