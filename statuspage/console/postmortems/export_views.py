from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.postmortems.postmortem_export import as_json, as_markdown, document_of


@role_required(Role.VIEWER)
def postmortem(request: StaffRequest, public_id: str, kind: str) -> HttpResponse:
    """Download the postmortem. `kind` is md or json. Drafts are only available to editors."""
    incidents = request.page.incidents.with_details().select_related("page")
    incident = get_object_or_404(incidents, public_id=public_id)
    postmortem = getattr(incident, "postmortem", None)
    if postmortem is None or not (postmortem.is_published or request.user.has_role(Role.EDITOR)):
        raise Http404
    name = f"postmortem-{incident.public_id}.{kind}"
    if kind == "md":
        response = HttpResponse(
            as_markdown(document_of(postmortem, incident)), content_type="text/markdown; charset=utf-8"
        )
    elif kind == "json" and request.user.has_role(Role.EDITOR):
        options = {"indent": 2, "ensure_ascii": False}
        response = JsonResponse(as_json(document_of(postmortem, incident)), json_dumps_params=options)
    else:
        raise Http404
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
