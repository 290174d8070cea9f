"""No cookie, no session, cheap to ask again."""

from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.test import Client
from time_machine import travel

from statuspage.accounts.models import Role, User
from tests.factories import make_incident, make_page
from tests.public.parsed_page import get

pytestmark = pytest.mark.django_db

PATHS = (
    *("/", "/incidents/{code}", "/history", "/history.atom", "/history.rss", "/uptime", "/robots.txt"),
    *("/incidents/{code}.json", "/history.json", "/feed.json", "/badge.svg", "/embed/frame", "/embed/script.js"),
)


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param).format(code=make_incident(make_page()).public_id)


def assert_no_trace_of_a_session(response: HttpResponse) -> None:
    assert not response.cookies
    assert "cookie" not in response.get("Vary", "").lower()


def test_no_page_sets_a_cookie_or_varies_by_one(path: str) -> None:
    assert_no_trace_of_a_session(get(path))


def test_the_page_that_is_not_there_sets_none_either() -> None:
    make_page()
    assert_no_trace_of_a_session(get("/nothing-here"))


def test_staff_who_are_signed_in_get_the_same_bytes(path: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user("a@example.com", password="x" * 12, role=Role.OWNER))
    with travel(datetime.now(UTC), tick=False):
        assert client.get(path).content == get(path).content


def test_head_answers_like_get_without_a_body(path: str) -> None:
    head, full = Client().head(path), get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == full["Content-Type"]


def test_an_unchanged_page_is_not_sent_again(path: str) -> None:
    # The home page says as of which minute it is true.
    with travel("2026-11-25T12:00:00Z", tick=False):
        seen = get(path)["ETag"]
    with travel("2026-11-25T12:00:59Z", tick=False):
        again = get(path, if_none_match=seen)
    assert (again.status_code, again.content) == (304, b"")


def test_a_changed_page_is_sent_again() -> None:
    page = make_page()
    for path in ("/", "/history", "/history.atom", "/history.rss"):
        before = get(path)["ETag"]
        make_incident(page, title=f"Found on {path}")
        again = get(path, if_none_match=before)
        assert (again.status_code, f"Found on {path}" in again.content.decode()) == (200, True)


@pytest.mark.parametrize("path", ["/", "/history", "/history.atom", "/history.rss"])
def test_readers_that_know_only_dates_are_spared_what_they_have(path: str) -> None:
    with travel("2024-03-20T12:00:00Z", tick=False):
        page = make_page()
        seen = get(path)["Last-Modified"]
    with travel("2024-03-20T13:00:00Z", tick=False):
        assert get(path, if_modified_since=seen).status_code == 304
        make_incident(page)
        assert get(path, if_modified_since=seen).status_code == 200


def test_a_new_day_is_a_change_of_the_home_page() -> None:
    with travel("2024-03-20T12:00:00Z", tick=False):
        make_page()
        seen = get("/")["Last-Modified"]
    with travel("2024-03-21T00:00:01Z", tick=False):
        assert get("/", if_modified_since=seen).status_code == 200


def test_browsers_always_ask_and_shared_caches_soon(path: str) -> None:
    parts = {part.strip() for part in get(path)["Cache-Control"].split(",")}
    assert parts == {"public", "max-age=0", "s-maxage=5", "stale-if-error=86400"}


def test_nothing_but_reading_is_allowed(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_scripts_and_foreign_origins_are_refused_by_policy(path: str) -> None:
    policy = get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


def test_robots_may_read_what_is_public() -> None:
    lines = get("/robots.txt").content.decode().splitlines()
    assert lines[0] == "User-agent: *"
    assert "Disallow: /" not in lines
    assert "Disallow: /console/" in lines
