"""What a request names, by its id; and how long lists are cut. Whatever is not this page's is not found."""

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
# What SQLite and PostgreSQL can count to is more; nobody has so many.
LAST_PAGE = 1_000_000


class Paging(BaseModel):
    """`page` from 1. `limit` and `per_page` are the same; more than the most is the most."""

    page: Annotated[int, Field(description="From 1")] = 1
    per_page: Annotated[int | None, Field(description="At most 100")] = None
    limit: Annotated[int | None, Field(description="The same as per_page")] = None

    def cut(self, rows: QuerySet[Row, Row], *, most: int = PER_PAGE, first: int = 1) -> list[Row]:
        """`first`: the number of the first page."""
        asked = self.per_page or self.limit or PER_PAGE
        size = min(max(asked, 1), most)
        start = (min(max(self.page, first), LAST_PAGE) - first) * size
        return list(rows[start : start + size])


PagingQuery = Query[Paging]


def serializer_of(page: Page) -> V1Serializer:
    return V1Serializer(page, absolute_url(page, ""))


def component_of(page: Page, code: str) -> Component:
    return get_object_or_404(page.components.active().select_related("group", "page"), public_id=code)


def locked_component_of(page: Page, code: str) -> Component:
    """Nobody else changes it until the request is done."""
    rows = page.components.active().select_related("group", "page").select_for_update(of=("self",), no_key=True)
    return get_object_or_404(rows, public_id=code)


def group_of(page: Page, code: str) -> ComponentGroup:
    return get_object_or_404(page.groups.prefetch_related("components"), public_id=code)


def incidents_of(page: Page) -> IncidentQuerySet:
    """Hidden ones are gone for programs."""
    return page.incidents.visible_to(Viewer.PUBLIC)


def incident_of(page: Page, code: str) -> Incident:
    return get_object_or_404(incidents_of(page).select_related("page"), public_id=code)


def components_named(page: Page, codes: Iterable[str], *, field: str) -> list[Component]:
    """In the order of `codes`. ValidationError for `field` if one is none of this page."""
    wanted = list(dict.fromkeys(codes))
    found = {one.public_id: one for one in page.components.active().with_public_ids(wanted).select_related("group")}
    if missing := [code for code in wanted if code not in found]:
        raise ValidationError({field: f"“{missing[0][:40]}” is not a component of this page."})
    return [found[code] for code in wanted]


def get_from_list_or_404(rows: Iterable[Any], code: str) -> Any:
    for row in rows:
        if row.public_id == code:
            return row
    raise Http404
