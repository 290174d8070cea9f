from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from statuspage.accounts.models import Role
from statuspage.console.access import StaffRequest, role_required
from statuspage.console.postmortems.postmortem_export import as_json, as_markdown, document_of


@role_required(Role.VIEWER)
def postmortem(request: StaffRequest, code: str, kind: str) -> HttpResponse:
    """As a file: `kind` is md or json. Drafts are for those who may write them."""
    incidents = request.page.incidents.with_details().select_related("page")
    incident = get_object_or_404(incidents, public_id=code)
    found = getattr(incident, "postmortem", None)
    if found is None or not (found.is_published or request.user.has_role(Role.EDITOR)):
        raise Http404
    name = f"postmortem-{incident.public_id}.{kind}"
    if kind == "md":
        answer = HttpResponse(as_markdown(document_of(found, incident)), content_type="text/markdown; charset=utf-8")
    elif kind == "json" and request.user.has_role(Role.EDITOR):
        shown = {"indent": 2, "ensure_ascii": False}
        answer = JsonResponse(as_json(document_of(found, incident)), json_dumps_params=shown)
    else:
        raise Http404
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
