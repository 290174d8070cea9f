from django.http import HttpRequest

from statuspage.accounts.models import Role, User


def permissions(request: HttpRequest) -> dict[str, bool]:
    """Add `can_edit` (editors and owners) and `is_owner` to the templates of console views.

    Templates of other views get neither: reading the user there would make public pages vary by cookie.
    """
    if not hasattr(request, "page") or not isinstance(request.user, User):
        return {}
    return {"can_edit": request.user.has_role(Role.EDITOR), "is_owner": request.user.has_role(Role.OWNER)}
