"""What Statuspage has and Candor has not yet: said plainly, so that no script takes silence for success."""

from typing import Any

from ninja.params.functions import Path

from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.errors import ApiError
from statuspage.api.router import endpoint
from statuspage.api.v1.base import ErrorOut

AUDIENCES = "Candor has no audience-specific pages yet, so there are no page access users or groups."
PEOPLE = "People are added in the console, under People; this API cannot do it yet."
ANY = "GET POST PUT PATCH DELETE"
TAG = "not there yet"

_USERS = "/pages/{page_id}/page_access_users"
_GROUPS = "/pages/{page_id}/page_access_groups"
PATHS = {
    "/pages/{page_id}/components/{component_id}/page_access_users": ("POST DELETE", AUDIENCES),
    "/pages/{page_id}/components/{component_id}/page_access_groups": ("POST DELETE", AUDIENCES),
    _USERS: ("GET POST", AUDIENCES),
    f"{_USERS}/{{user_id}}": ("GET PUT PATCH DELETE", AUDIENCES),
    f"{_USERS}/{{user_id}}/components": (ANY, AUDIENCES),
    f"{_USERS}/{{user_id}}/components/{{component_id}}": ("DELETE", AUDIENCES),
    f"{_USERS}/{{user_id}}/metrics": (ANY, AUDIENCES),
    f"{_USERS}/{{user_id}}/metrics/{{metric_id}}": ("DELETE", AUDIENCES),
    _GROUPS: ("GET POST", AUDIENCES),
    f"{_GROUPS}/{{group_id}}": ("GET PUT PATCH DELETE", AUDIENCES),
    f"{_GROUPS}/{{group_id}}/components": (ANY, AUDIENCES),
    f"{_GROUPS}/{{group_id}}/components/{{component_id}}": ("DELETE", AUDIENCES),
    "/organizations/{organization_id}/users": ("GET POST", PEOPLE),
    "/organizations/{organization_id}/users/{user_id}": ("DELETE", PEOPLE),
    "/organizations/{organization_id}/permissions/{user_id}": ("GET PUT PATCH", PEOPLE),
}


def _register(path: str, methods: str, said: str) -> None:
    names = [step[1:-1] for step in path.split("/") if step.startswith("{")]

    def missing(request: ApiRequest, **codes: str) -> Any:
        raise ApiError(501, said)

    missing.__doc__ = said
    missing._ninja_contribute_args = [(name, str, Path(...)) for name in names]  # type: ignore[attr-defined]
    endpoint(methods, path, Scope.READ, ErrorOut, code=501, tag=TAG)(missing)


for _path, (_methods, _said) in PATHS.items():
    _register(_path, _methods, _said)
