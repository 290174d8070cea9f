"""What staff is told of publishing."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.models import Page
from statuspage.accounts.models import Role
from statuspage.publishing.models import Publication
from tests.console.staff import parsed_page, signed_in
from tests.factories import make_page

pytestmark = pytest.mark.django_db

URL = "/console/p/acme/publishing"
BUCKET = "s3://status-pages/acme"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def viewer() -> Client:
    return signed_in(Role.VIEWER)


def rows(client: Client) -> list[str]:
    return [row.text for row in parsed_page(client.get(URL)).all("tr")[1:]]


def test_before_anything_was_published_the_page_says_who_should_do_it(page: Page, viewer: Client) -> None:
    assert "Nothing has been published yet" in parsed_page(viewer.get(URL)).text


def test_each_target_is_shown_with_its_state_its_age_and_its_files(page: Page, viewer: Client) -> None:
    Publication.objects.succeeded(page, files=134)
    Publication.objects.failed(page, "503 Service Unavailable", target=BUCKET)
    folder, bucket = rows(viewer)
    assert folder.startswith("Folder on ")
    assert "Up to date" in folder
    assert folder.endswith("134")
    assert "less than a minute ago" in folder
    assert BUCKET in bucket
    assert "Failing since" in bucket
    assert "503 Service Unavailable" in bucket
    assert "never" in bucket


def test_an_old_target_is_late(page: Page, viewer: Client) -> None:
    Publication.objects.succeeded(page, files=1)
    Publication.objects.update(published_at=timezone.now() - timedelta(minutes=4))
    assert "Late" in rows(viewer)[0]


def test_a_failure_is_as_old_as_its_first(page: Page) -> None:
    Publication.objects.failed(page, "first")
    began = Publication.objects.get().failing_since
    Publication.objects.failed(page, "second")
    again = Publication.objects.get()
    assert (again.failing_since, again.error) == (began, "second")


def test_errors_are_shown_as_text(page: Page, viewer: Client) -> None:
    Publication.objects.failed(page, "<script>alert(1)</script>")
    assert b"<script>alert" not in viewer.get(URL).content


def test_another_pages_targets_are_not_shown(page: Page, viewer: Client) -> None:
    Publication.objects.succeeded(make_page(name="Other", domain="other.example"), files=1, target="s3://other")
    assert "s3://other" not in parsed_page(viewer.get(URL)).text


def test_many_targets_cost_no_more_queries_than_one(page: Page, viewer: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            viewer.get(URL)
        return len(queries)

    Publication.objects.succeeded(page, files=1)
    before = cost()
    for number in range(20):
        Publication.objects.succeeded(page, files=1, target=f"s3://bucket{number}")
    assert cost() == before
