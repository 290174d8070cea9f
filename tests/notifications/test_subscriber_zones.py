"""Times and words in each reader's own zone and language, written once for all who share them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.template import Template
from django.test.signals import template_rendered
from pytest_django import Settings

from incidents.models import Page
from incidents.text.wording import moment_with_utc
from statuspage.dispatcher.loop import drain
from tests.factories import make_incident, make_subscriber_with
from tests.notifications.mailbox import mails_to, part
from tests.servers import SmtpSink

AT = datetime(2022, 9, 21, 22, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Etc/UTC", "Sep 21, 2022 - 22:14 UTC"),
        ("America/New_York", "Sep 21, 2022 - 18:14 EDT (22:14 UTC)"),
        ("Europe/Berlin", "Sep 22, 2022 - 00:14 CEST (Sep 21, 22:14 UTC)"),
        ("America/Sao_Paulo", "Sep 21, 2022 - 19:14 -03 (22:14 UTC)"),
        ("Africa/Abidjan", "Sep 21, 2022 - 22:14 UTC"),
    ],
)
def test_utc_stands_beside_a_local_time_with_the_day_where_it_differs(zone: str, expected: str) -> None:
    assert moment_with_utc(AT, ZoneInfo(zone)) == expected


def test_the_hour_that_comes_twice_is_told_apart_by_utc() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = moment_with_utc(datetime(2022, 10, 30, 0, 30, tzinfo=UTC), berlin)
    second = moment_with_utc(datetime(2022, 10, 30, 1, 30, tzinfo=UTC), berlin)
    assert first == "Oct 30, 2022 - 02:30 CEST (00:30 UTC)"
    assert second == "Oct 30, 2022 - 02:30 CET (01:30 UTC)"


@pytest.mark.django_db(transaction=True)
def test_each_reader_gets_the_time_of_their_own_zone(page: Page, sink: SmtpSink) -> None:
    Page.objects.update(time_zone="America/New_York")
    make_subscriber_with(page, "ada@example.com", time_zone="Europe/Berlin")
    make_subscriber_with(page, "bob@example.com")
    make_incident(page, at=AT)
    drain()
    for email, posted in (("ada", "00:14 CEST (Sep 21, 22:14 UTC)"), ("bob", "18:14 EDT (22:14 UTC)")):
        (message,) = mails_to(sink, f"{email}@example.com")
        assert posted in part(message, "plain")
        assert posted in part(message, "html")


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_written_once_for_all_who_share_zone_and_language(page: Page, sink: SmtpSink) -> None:
    for number in range(10):
        make_subscriber_with(page, f"ada{number}@example.com", time_zone="Europe/Berlin")
        make_subscriber_with(page, f"bob{number}@example.com")
    make_incident(page)
    with written() as names:
        drain()
    assert len(sink.emails) == 20
    assert names.count("notifications/email/notification.txt") == 2


@contextmanager
def written() -> Iterator[list[str]]:
    """The names of all templates that are rendered meanwhile."""
    names: list[str] = []

    def note(template: Template, **_: object) -> None:
        names.append(str(template.name))

    template_rendered.connect(note)
    yield names
    template_rendered.disconnect(note)


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_written_in_the_readers_language_is_taken(
    page: Page, sink: SmtpSink, settings: Settings, tmp_path: Path
) -> None:
    german = tmp_path / "notifications" / "email" / "de"
    german.mkdir(parents=True)
    (german / "notification.txt").write_text("Neuer Vorfall: {{ incident.title }}", encoding="utf-8")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [*settings.TEMPLATES[0]["DIRS"], tmp_path]}]
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    make_subscriber_with(page, "ada@example.com", language="de")
    make_subscriber_with(page, "bob@example.com")
    make_incident(page, title="Störung")
    drain()
    (german_mail,), (english_mail,) = mails_to(sink, "ada@example.com"), mails_to(sink, "bob@example.com")
    assert part(german_mail, "plain").strip() == "Neuer Vorfall: Störung"
    assert '<html lang="de">' in part(german_mail, "html")
    assert part(english_mail, "plain").startswith("New incident: Investigating\nStörung")
