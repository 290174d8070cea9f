"""Statuspage's endpoints that Candor does not support. They answer 501, so that no script mistakes it for success."""

from typing import Any

from ninja.params.functions import Path

from statuspage.accounts.models import Scope
from statuspage.api.authentication import ApiRequest
from statuspage.api.errors import ApiError
from statuspage.api.router import endpoint
from statuspage.api.v1.base import ErrorOut

AUDIENCES = "Page access users and groups are not supported yet."
PEOPLE = "Managing people through this API is not supported yet. Add them in the console under People."
ANY = "GET POST PUT PATCH DELETE"
TAG = "not supported yet"

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


def _register(path: str, methods: str, message: str) -> None:
    names = [step[1:-1] for step in path.split("/") if step.startswith("{")]

    def unsupported(request: ApiRequest, **public_ids: str) -> Any:
        raise ApiError(501, message)

    unsupported.__doc__ = message
    unsupported._ninja_contribute_args = [(name, str, Path(...)) for name in names]  # type: ignore[attr-defined]
    endpoint(methods, path, Scope.READ, ErrorOut, code=501, tag=TAG)(unsupported)


for _path, (_methods, _message) in PATHS.items():
    _register(_path, _methods, _message)
