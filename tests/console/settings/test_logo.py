from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from incidents.images import MAX_BYTES
from incidents.models import AuditEntry, Event, Page, PageLogo
from tests.console.staff import fill_in, invalid_controls, parsed_page, signed_in
from tests.factories import make_page
from tests.pictures import CHALK, file_of, wordmark

pytestmark = pytest.mark.django_db

PATH, LOGO = "/console/p/acme/settings", "/console/p/acme/settings/logo"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def owner(page: Page) -> Client:
    return signed_in("owner", name="Olga")


def upload(client: Client, **files: bytes) -> Any:
    sent = {field: SimpleUploadedFile("logo.png", raw) for field, raw in files.items()}
    return client.post(LOGO, fill_in(client, PATH, LOGO) | sent)


def remove(client: Client, field: str) -> Any:
    return client.post(LOGO, fill_in(client, PATH, LOGO, remove=field))


def test_a_logo_stands_where_the_name_stood(owner: Client, page: Page) -> None:
    answer = upload(owner, logo=file_of(wordmark()))
    assert (answer.status_code, answer["Location"]) == (302, PATH)
    header = parsed_page(Client().get("/")).one("header")
    image = header.one("img")
    assert image.attributes["alt"] == "Acme Status"
    assert (image.attributes["width"], image.attributes["height"]) == ("180", "48")
    assert header.one("p", class_="masthead-name").text == ""
    assert (
        parsed_page(owner.get(PATH)).one("main").one("p", data_ground="light").one("img").attributes["src"]
        == image.attributes["src"]
    )


def test_it_is_in_the_audit_log_and_the_page_is_published_anew(owner: Client, page: Page) -> None:
    upload(owner, logo=file_of(wordmark()))
    entry = AuditEntry.objects.get()
    (logo,) = PageLogo.objects.all()
    assert (entry.actor_label, entry.details) == ("Olga", {"changed": {"logo": str(logo)}, "before": {"logo": ""}})
    assert Event.objects.get().kind == "page.changed"
    assert f"480 × 128, {logo.digest}" in parsed_page(owner.get("/console/p/acme/audit")).text


def test_the_same_picture_again_is_no_change(owner: Client) -> None:
    for _ in range(2):
        assert upload(owner, logo=file_of(wordmark())).status_code == 302
    assert AuditEntry.objects.count() == PageLogo.objects.count() == 1


def test_another_picture_takes_the_place_of_the_first(owner: Client) -> None:
    upload(owner, logo=file_of(wordmark()))
    upload(owner, logo=file_of(wordmark(CHALK)))
    (stored_logo,) = PageLogo.objects.all()
    assert AuditEntry.objects.latest("pk").details["changed"]["logo"] == str(stored_logo)


def test_dark_screens_get_their_own(owner: Client) -> None:
    upload(owner, logo=file_of(wordmark()), logo_dark=file_of(wordmark(CHALK)))
    source = parsed_page(Client().get("/")).one("source")
    assert source.attributes["media"] == "screen and (prefers-color-scheme: dark)"
    assert Client().get(source.attributes["srcset"]).status_code == 200
    assert remove(owner, "logo_dark").status_code == 302
    assert not parsed_page(Client().get("/")).all("source")
    assert PageLogo.objects.count() == 1


def test_a_logo_that_is_removed_takes_the_dark_one_with_it(owner: Client) -> None:
    upload(owner, logo=file_of(wordmark()), logo_dark=file_of(wordmark(CHALK)))
    assert remove(owner, "logo").status_code == 302
    assert parsed_page(Client().get("/")).one("p", class_="masthead-name").text == "Acme Status"
    assert not PageLogo.objects.exists()
    assert not parsed_page(owner.get(PATH)).all("button", name="remove")


def test_a_logo_for_the_dark_alone_is_refused(owner: Client) -> None:
    answer = upload(owner, logo_dark=file_of(wordmark(CHALK)))
    assert answer.status_code == 422
    assert [control.attributes["name"] for control in invalid_controls(parsed_page(answer))] == ["logo_dark"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG files are not accepted"),
        (b"Hello", "This is not a PNG, JPEG, WebP or GIF image."),
        (b"\x89PNG" + bytes(MAX_BYTES), "larger than 2 MB"),
        (b"", "The submitted file is empty."),
    ],
)
def test_what_is_no_logo_is_refused_beside_its_field(owner: Client, raw: bytes, expected: str) -> None:
    answer = upload(owner, logo=raw)
    assert answer.status_code == 422
    (control,) = invalid_controls(parsed_page(answer))
    assert control.attributes["name"] == "logo"
    assert expected in parsed_page(answer).text
    assert not PageLogo.objects.exists()


def test_a_form_without_a_file_says_so(owner: Client) -> None:
    answer = upload(owner)
    assert answer.status_code == 422
    assert "Choose a file." in parsed_page(answer).text


def test_an_owner_is_told_if_the_logo_is_swallowed_by_the_dark(owner: Client) -> None:
    upload(owner, logo=file_of(wordmark()))
    assert "The logo has low contrast on a dark background. Add a lighter logo" in parsed_page(owner.get(PATH)).text
    upload(owner, logo_dark=file_of(wordmark(CHALK)))
    assert "low contrast" not in parsed_page(owner.get(PATH)).text


def test_only_owners_may(page: Page) -> None:
    assert signed_in("editor").post(LOGO).status_code == 403
