from incidents.actions.pages import page_settings as actions
from statuspage.accounts.models import Scope
from statuspage.api.doors import ApiRequest
from statuspage.api.schemas.embed import EmbedBody, EmbedOut
from statuspage.api.schemas.pages import PageBody, PageOut
from statuspage.api.service import endpoint, page_of
from statuspage.api.shapes.pages import embed_out, page_out


@endpoint("GET", "/pages", Scope.READ, list[PageOut])
def list_pages(request: ApiRequest) -> list[PageOut]:
    """The page of this token."""
    return [page_out(request.token.page)]


@endpoint("GET", "/pages/{page_id}", Scope.READ, PageOut)
def get_page(request: ApiRequest, page_id: str) -> PageOut:
    """Get a page."""
    return page_out(page_of(request, page_id))


@endpoint("PATCH PUT", "/pages/{page_id}", Scope.ADMIN, PageOut)
def update_page(request: ApiRequest, page_id: str, body: PageBody) -> PageOut:
    """Update a page: its name, domain, description, support address and time zone."""
    page, names = page_of(request, page_id), {name: name for name in ("name", "domain", "support_url", "time_zone")}
    changes = body.page.texts(**names, page_description="description")
    return page_out(actions.edit_page(page, actor=request.token.actor, **changes))


@endpoint("GET", "/pages/{page_id}/status_embed_config", Scope.READ, EmbedOut)
def get_embed_config(request: ApiRequest, page_id: str) -> EmbedOut:
    """Get corner and colours of the widget."""
    return embed_out(page_of(request, page_id))


@endpoint("PATCH PUT", "/pages/{page_id}/status_embed_config", Scope.ADMIN, EmbedOut)
def update_embed_config(request: ApiRequest, page_id: str, body: EmbedBody) -> EmbedOut:
    """Update corner and colours of the widget."""
    page, asked = page_of(request, page_id), body.status_embed_config or body
    config = asked.model_dump(exclude={"status_embed_config"}, exclude_none=True)
    return embed_out(actions.set_embed_config(page, config, actor=request.token.actor))
