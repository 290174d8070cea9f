"""Registration of endpoints. `endpoint` declares path, scope and response; the OpenAPI schema is made from that."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import Http404, HttpRequest
from ninja import NinjaAPI, Status
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.security.base import AuthBase

from incidents.models import Page
from statuspage.accounts.models import ApiToken, Scope
from statuspage.api import errors
from statuspage.api.authentication import ApiRequest
from statuspage.api.parsing import Json
from statuspage.api.v1.base import ErrorOut

View = TypeVar("View", bound=Callable[..., Any])

ERRORS: dict[int, Any] = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 429, 503), ErrorOut)


class Parsed(Parser):
    """The entrypoint has parsed the body already."""

    def parse_body(self, request: HttpRequest) -> Json:
        data: Json = request.data  # type: ignore[attr-defined]
        return data


class ApiKey(AuthBase):
    """The entrypoint has authenticated the token. This checks its scope, before the parameters are validated."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> ApiToken:
        token: ApiToken = request.token  # type: ignore[attr-defined]
        if not token.may(self.scope):
            raise errors.ApiError(403, f"This token does not have the scope {self.scope.value}.")
        return token


api = NinjaAPI(
    title="Candor management API",
    version="1.0.0",
    description="The endpoints of Atlassian Statuspage's API v1 that Candor supports.",
    openapi_url=None,
    docs_url=None,
    urls_namespace="v1",
    parser=Parsed(),
)
errors.install(api)


def endpoint(
    methods: str, path: str, scope: Scope, body: Any, *, code: int = 200, tag: str = ""
) -> Callable[[View], View]:
    """Serve `methods` (`"GET"`, `"PATCH PUT"`) of `path` with a view that returns the body of the response.

    `body` is the body's type, or None for an empty body. `code` is the status code of success. The first line of the
    view's docstring is the summary.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def with_status(request: ApiRequest, *args: Any, **kwargs: Any) -> Any:
            return Status(code, view(request, *args, **kwargs))

        register = api.api_operation(
            methods.split(),
            path,
            auth=ApiKey(scope),
            response={code: body, **ERRORS},
            tags=[tag or path.split("/")[3].replace("_", " ").replace("-", " ") if path.count("/") > 2 else "pages"],
            operation_id=_operation_id(methods.split()[0].lower(), path),
            summary=(view.__doc__ or view.__name__.replace("_", " ").capitalize()).splitlines()[0],
            openapi_extra={"x-scope": scope.value},
        )
        register(with_status)
        return view

    return decorate


def page_of(request: ApiRequest, public_id: str) -> Page:
    """Return the token's page. Any other page is not found, whether it exists or not."""
    if public_id != request.token.page.public_id:
        raise Http404
    return request.token.page


def schema() -> dict[str, Any]:
    """Return the OpenAPI 3.1 schema of all registered endpoints. Each method has an operation id of its own."""
    openapi: dict[str, Any] = json.loads(json.dumps(OpenAPISchema(api, "v1")))
    for path, operations in openapi["paths"].items():
        for method, operation in operations.items():
            operations[method] = {**operation, "operationId": _operation_id(method, path)}
    return openapi


def _operation_id(method: str, path: str) -> str:
    name = "".join(char if char.isalnum() else "_" for char in path.removeprefix("/v1/"))
    return f"{method}_{name}".replace("__", "_").strip("_")
