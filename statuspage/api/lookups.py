"""Lookups by public id, limited to the token's page, and paging of lists."""

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from ninja import Query
from pydantic import BaseModel, Field

from incidents.models import Component, ComponentGroup, Incident, Page
from incidents.models.incidents import IncidentQuerySet
from incidents.statuspage_json import V1Serializer
from incidents.visibility import Viewer
from statuspage.common.urls import absolute_url

Row = TypeVar("Row", bound=Model)

PER_PAGE = 100
# Far below the largest offset of SQLite and PostgreSQL.
LAST_PAGE = 1_000_000


class Paging(BaseModel):
    """`page` counts from 1. `limit` and `per_page` mean the same. Larger values are reduced to the maximum."""

    page: Annotated[int, Field(description="From 1")] = 1
    per_page: Annotated[int | None, Field(description="At most 100")] = None
    limit: Annotated[int | None, Field(description="The same as per_page")] = None

    def cut(self, rows: QuerySet[Row, Row], *, most: int = PER_PAGE, first: int = 1) -> list[Row]:
        """Return one page of `rows`, at most `most` of them. `first` is the number of the first page."""
        size = min(max(self.per_page or self.limit or PER_PAGE, 1), most)
        start = (min(max(self.page, first), LAST_PAGE) - first) * size
        return list(rows[start : start + size])


PagingQuery = Query[Paging]


def serializer_of(page: Page) -> V1Serializer:
    return V1Serializer(page, absolute_url(page, ""))


def component_of(page: Page, public_id: str) -> Component:
    return get_object_or_404(page.components.active().select_related("group", "page"), public_id=public_id)


def locked_component_of(page: Page, public_id: str) -> Component:
    """Return the component, locked until the end of the transaction."""
    rows = page.components.active().select_related("group", "page").select_for_update(of=("self",), no_key=True)
    return get_object_or_404(rows, public_id=public_id)


def group_of(page: Page, public_id: str) -> ComponentGroup:
    return get_object_or_404(page.groups.prefetch_related("components"), public_id=public_id)


def incidents_of(page: Page) -> IncidentQuerySet:
    """The incidents of the page without hidden ones."""
    return page.incidents.visible_to(Viewer.PUBLIC)


def incident_of(page: Page, public_id: str) -> Incident:
    return get_object_or_404(incidents_of(page).select_related("page"), public_id=public_id)


def components_by_id(page: Page, public_ids: Iterable[str], *, field: str) -> list[Component]:
    """Return components in the order of `public_ids`. ValidationError for `field` if the page does not have one."""
    wanted = list(dict.fromkeys(public_ids))
    rows = page.components.active().with_public_ids(wanted).select_related("group")
    components = {component.public_id: component for component in rows}
    if missing := [public_id for public_id in wanted if public_id not in components]:
        raise ValidationError({field: f"“{missing[0][:40]}” is not a component of this page."})
    return [components[public_id] for public_id in wanted]


def get_from_list_or_404(rows: Iterable[Any], public_id: str) -> Any:
    for row in rows:
        if row.public_id == public_id:
            return row
    raise Http404
