"""The page's name as a picture."""

from io import BytesIO

import pytest
from django.test import Client
from PIL import Image

from incidents.actions.pages.logos import set_logo
from incidents.images import convert_image
from incidents.models import Page
from tests.factories import ALICE, make_incident, make_page
from tests.pictures import CHALK, file_of, wordmark
from tests.public.parsed_page import get, read
from tests.public.test_cost import queries_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return set_logo(make_page(), logo=convert_image(file_of(wordmark())), actor=ALICE)


def address() -> str:
    return read("/").one("header").one("img").attributes["src"]


def test_it_is_a_picture_that_never_changes_under_its_address(page: Page) -> None:
    answer = get(address())
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert set(answer["Cache-Control"].split(", ")) == {"public", "max-age=31536000", "immutable"}
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    assert Image.open(BytesIO(answer.content)).size == (480, 128)
    assert get(address(), if_none_match=answer["ETag"]).status_code == 304
    assert Client().post(address()).status_code == 405


def test_another_logo_has_another_address_and_the_old_one_is_gone(page: Page) -> None:
    old = address()
    set_logo(page, logo=convert_image(file_of(wordmark(CHALK))), actor=ALICE)
    assert address() != old
    assert get(old).status_code == 404
    assert get(address()).status_code == 200


def test_the_logo_of_another_page_is_not_there(page: Page) -> None:
    other = set_logo(
        make_page(name="Other", domain="other.example.com"), logo=convert_image(file_of(wordmark(CHALK))), actor=ALICE
    )
    assert other.logo
    assert get(f"/logo-{other.logo.digest}.webp").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/subscribe", 200), ("/nothing-here", 404), ("/502.html", 200)]
)
def test_every_page_shows_it_with_its_size(page: Page, path: str, status: int) -> None:
    image = read(path, status=status).one("header").one("img")
    assert (image.attributes["width"], image.attributes["height"]) == ("180", "48")


@pytest.mark.parametrize(
    ("size", "shown"), [((100, 30), (100, 30)), ((300, 300), (48, 48)), ((2000, 100), (240, 12)), ((3000, 3), (240, 1))]
)
def test_it_is_shown_as_large_as_the_header_has_room(size: tuple[int, int], shown: tuple[int, int]) -> None:
    page = set_logo(make_page(), logo=convert_image(file_of(wordmark(size=size))), actor=ALICE)
    assert page.logo
    assert (page.logo.shown_width, page.logo.shown_height) == shown


def test_it_costs_no_query_and_no_page_without_one_a_byte(page: Page) -> None:
    make_incident(page)
    with_logo = queries_of("/")
    set_logo(page, logo=None, actor=ALICE)
    assert queries_of("/") == with_logo
    assert b"logo" not in get("/").content
