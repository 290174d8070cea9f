"""What does not work is below the header of every console page, with what to do."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import Page
from statuspage.notifications.models import ChannelState, Delivery, Heartbeat, Installation, Mismatch
from statuspage.publishing.models import Publication
from statuspage.publishing.system_notices import HELP
from statuspage.subscribers.models.database_time import from_now
from tests.console.staff import parsed_page, signed_in
from tests.conventions.code import ROOT
from tests.factories import make_page, make_subscriber
from tests.public.parsed_page import Element

pytestmark = pytest.mark.django_db

REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.fixture
def editor(page: Page) -> Client:
    """An editor of a page that is published, while the dispatcher runs."""
    Heartbeat.objects.beat("dispatcher")
    Publication.objects.succeeded(page, files=1)
    return signed_in("editor")


def bar(client: Client, path: str = "incidents") -> list[Element]:
    """The parts of the bar, one for each kind of problem."""
    bars = parsed_page(client.get(f"/console/p/acme/{path}")).all("aside", class_="system-notices")
    return [part for bar in bars for part in bar.all("details")]


def notice(client: Client) -> Element:
    (part,) = bar(client)
    return part


def summary(client: Client) -> str:
    return notice(client).one("summary").text.removesuffix(" What to do")


def test_while_everything_works_there_is_no_bar(editor: Client) -> None:
    assert bar(editor) == bar(editor, "") == []


@pytest.mark.parametrize("path", ["", "incidents/new", "components", "account", "audit", "retention"])
def test_it_is_on_every_page(editor: Client, path: str) -> None:
    ChannelState.objects.pause("email", "Connection refused")
    assert len(bar(editor, path)) == 1


def test_it_is_on_a_page_that_the_person_may_not_see(editor: Client) -> None:
    ChannelState.objects.pause("email", "Connection refused")
    assert len(bar(editor, "tokens")) == 1


def test_a_dispatcher_that_stopped(editor: Client) -> None:
    Heartbeat.objects.update(at=from_now(-timedelta(seconds=100)))
    assert summary(editor) == "The dispatcher has not reported for 90 seconds. Nothing is sent or published."
    assert "data-critical" in notice(editor).attributes
    assert "Start Candor (bin/serve, or sudo systemctl start candor-dispatcher)." in notice(editor).text
    assert "docs/operating.md#processes" in notice(editor).text


@pytest.mark.parametrize(
    ("running", "text", "advice"),
    [
        ("dispatcher", "Redis has not responded for 90 seconds.", "Start Redis, or correct REDIS_URL."),
        ("redis", "No worker has reported for 90 seconds.", "Start a worker"),
    ],
)
def test_redis_or_the_workers_that_are_gone(
    editor: Client, settings: Settings, running: str, text: str, advice: str
) -> None:
    settings.REDIS_URL = REDIS
    Heartbeat.objects.beat(running)
    assert summary(editor).startswith(text)
    assert advice in notice(editor).text
    assert "data-critical" not in notice(editor).attributes


def test_clocks_that_are_off_share_a_line(editor: Client) -> None:
    for instance, offset in (("a:1", 30.0), ("b:2", -60.0)):
        Heartbeat.objects.create(process="worker", instance=instance, at=from_now(timedelta(0)), clock_offset=offset)
    assert summary(editor) == (
        "The clock of the worker a:1 is 30 seconds ahead of the database's clock, which decides what is due. "
        "And 1 more."
    )
    assert "The clock of the worker b:2 is 60 seconds behind" in notice(editor).text
    assert "docs/operating.md#clocks" in notice(editor).text


def test_a_restored_backup(editor: Client) -> None:
    Installation.objects.current()
    Installation.objects.report(Mismatch.RESTORED)
    assert "a backup was restored" in summary(editor)
    assert "bin/manage adopt_published" in notice(editor).text


def test_a_page_that_is_not_published_any_more(editor: Client) -> None:
    make_page(name="Another page, which was never published")
    assert bar(editor) == []
    Publication.objects.update(published_at=from_now(-timedelta(minutes=4)))
    assert summary(editor) == "“Acme” has not been published for three minutes."
    assert "Visitors see the previous version." in notice(editor).text
    assert notice(editor).one("a").attributes["href"] == "/console/p/acme/publishing"


def test_a_target_that_fails_is_shown_with_its_error(editor: Client, page: Page) -> None:
    Publication.objects.failed(page, "503 Service Unavailable", target="s3://bucket")
    assert summary(editor) == "A copy of “Acme” cannot be published."
    assert "to s3://bucket: 503 Service Unavailable" in notice(editor).text
    Publication.objects.succeeded(page, files=1, target="s3://bucket")
    assert bar(editor) == []


def test_a_paused_channel_is_shown_with_its_error(editor: Client) -> None:
    ChannelState.objects.pause("email", "Connection refused by 127.0.0.1:25.")
    assert summary(editor) == "Email is paused because of an error."
    assert re.search(r"Since \w+ \d\d, \d\d:\d\d CES?T: Connection refused by 127.0.0.1:25\.", notice(editor).text)
    assert notice(editor).one("a").attributes["href"] == "/console/p/acme/channels"
    ChannelState.objects.recovered("email")
    assert bar(editor) == []


def test_emails_that_wait(editor: Client, page: Page, settings: Settings) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    for _ in range(2):
        Delivery.objects.create(
            kind="confirmation",
            subscriber=make_subscriber(page),
            channel="email",
            priority=1,
            next_attempt_at=from_now(-timedelta(minutes=5)),
        )
    assert summary(editor).startswith("2 emails have been waiting since ")
    assert notice(editor).one("a").attributes["href"] == "/console/p/acme/mail"
    assert notice(signed_in("viewer")).all("a") == []


def test_they_take_one_query(
    editor: Client, page: Page, settings: Settings, django_assert_num_queries: Callable[[int], Any]
) -> None:
    settings.REDIS_URL = REDIS
    settings.EMAIL_URL = "smtp://127.0.0.1:25"
    editor.get("/console/p/acme/components")
    with django_assert_num_queries(7):
        assert len(bar(editor, "components")) == 1
    ChannelState.objects.pause("email", "Connection refused")
    Publication.objects.failed(page, "No space left on device")
    with django_assert_num_queries(7):
        assert len(bar(editor, "components")) == 3


@pytest.mark.parametrize("code", HELP)
def test_the_section_with_the_details_exists(code: str) -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operating.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert HELP[code].section in {heading.lower().replace(" ", "-") for heading in headings}
