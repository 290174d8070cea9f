"""`@14:14` in a text: a time on the page's clock, wherever the text is read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from incidents.actions.incidents.corrections import correct_update_time
from incidents.actions.incidents.incident_lifecycle import edit_update
from incidents.actions.postmortems.postmortem_lifecycle import publish
from incidents.models import Page
from incidents.statuspage_json import V2Serializer
from incidents.text import markdown
from incidents.text.time_shorthand import Clock, expand_times
from statuspage.notifications.messages.chat_markup import PLAIN
from statuspage.notifications.messages.email import notification_email
from statuspage.notifications.messages.notification import read_notification
from tests.factories import ALICE, make_incident, make_maintenance, make_page, make_resolved

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
WINTER = datetime(2026, 11, 25, 9, tzinfo=UTC)


def html(text: str, zone: ZoneInfo = BERLIN, at: datetime = WINTER) -> str:
    return markdown.render(text, clock=Clock(zone, at))


def test_a_time_is_shown_on_the_pages_clock_with_utc_beside() -> None:
    assert html("It began at @14:14.") == (
        '<p>It began at <time datetime="2026-11-25T13:14:00Z">14:14 CET (13:14 UTC)</time>.</p>'
    )


def test_a_page_at_utc_says_it_once() -> None:
    assert ">9:05" not in html("@9:05", ZoneInfo("Etc/UTC"))
    assert html("@9:05", ZoneInfo("Etc/UTC")) == '<p><time datetime="2026-11-25T09:05:00Z">09:05 UTC</time></p>'


def test_with_a_day_it_is_another_day_and_says_so() -> None:
    assert '<time datetime="2026-07-01T12:14:00Z">Jul 1, 2026, 14:14 CEST (12:14 UTC)</time>' in html(
        "@2026-07-01 14:14"
    )


def test_the_day_of_utc_is_named_where_it_is_another() -> None:
    assert "23:30 EST (Nov 26, 04:30 UTC)" in html("@23:30", NEW_YORK)


def test_the_day_is_that_of_the_pages_clock() -> None:
    late = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # the next day in Berlin
    assert 'datetime="2026-11-25T23:45:00Z"' in html("@00:45", BERLIN, late)


@pytest.mark.parametrize(
    "text",
    ["@25:00", "@14:60", "me@14:14", "@14:14:30", "@@14:14", "`@14:14`", "@2026-02-30 14:14", "x/@14:14"],
)
def test_what_is_no_time_stays_as_it_was_typed(text: str) -> None:
    assert "<time" not in html(text)


def test_a_time_that_the_clock_skipped_stays_and_one_that_came_twice_is_the_first() -> None:
    assert "<time" not in html("@2026-03-29 02:30")
    assert "02:30 CEST (00:30 UTC)" in html("@2026-10-25 02:30")


def test_it_works_in_bold_links_lists_and_tables() -> None:
    text = "**@10:00** [at @11:00](https://example.com)\n\n- @12:00\n\n| a |\n| - |\n| @13:00 |"
    assert html(text).count("<time ") == 4


def test_without_a_clock_it_stays_as_it_was_typed() -> None:
    assert markdown.render("It began at @14:14.") == "<p>It began at @14:14.</p>"


def test_one_call_does_not_leave_its_clock_to_the_next() -> None:
    html("@14:14")
    assert "<time" not in markdown.render("@14:14")


def test_typed_time_tags_are_text() -> None:
    assert "<time" not in html('<time datetime="x">')


def test_what_was_rendered_is_kept_by_an_import_as_it_is() -> None:
    made = html("@14:14 and @2026-07-01 14:14")
    assert markdown.clean(made) == made
    assert "onclick" not in markdown.clean('<time datetime="x" onclick="y()">z</time>')


def test_chat_messages_and_feeds_of_text_read_it() -> None:
    assert PLAIN.render(html("It began at @14:14."), limit=100) == "It began at 14:14 CET (13:14 UTC)."


def test_plain_text_is_spelled_out() -> None:
    clock = Clock(BERLIN, WINTER)
    assert expand_times("From @14:14 to @2026-11-26 01:00, @nobody.", clock) == (
        "From 14:14 CET (13:14 UTC) to Nov 26, 2026, 01:00 CET (00:00 UTC), @nobody."
    )
    assert expand_times("@2026-02-30 14:14", clock) == "@2026-02-30 14:14"


@pytest.fixture
def page() -> Page:
    return make_page(time_zone="Europe/Berlin")


@pytest.mark.django_db
def test_an_update_is_read_on_the_day_that_it_tells_of(page: Page) -> None:
    update = make_incident(page, body="It began at @14:14.", at=datetime(2026, 7, 1, 13, tzinfo=UTC)).updates.get()
    assert update.body == "It began at @14:14."
    assert '<time datetime="2026-07-01T12:14:00Z">' in update.body_html
    edit_update(update, body="It began at @14:16.", actor=ALICE)
    assert '<time datetime="2026-07-01T12:16:00Z">' in update.body_html


@pytest.mark.django_db
def test_a_corrected_time_moves_it_with_the_update(page: Page) -> None:
    update = make_incident(page, body="It began at @14:14.", at=datetime(2026, 7, 1, 13, tzinfo=UTC)).updates.get()
    correct_update_time(update, at=datetime(2026, 6, 30, 13, tzinfo=UTC), actor=ALICE)
    update.refresh_from_db()
    assert '<time datetime="2026-06-30T12:14:00Z">' in update.body_html


@pytest.mark.django_db
def test_a_maintenance_is_announced_for_the_day_of_its_window(page: Page) -> None:
    begins = datetime(2027, 6, 12, 20, tzinfo=UTC)
    update = make_maintenance(page, begins=begins, body="Checkout is away until @23:00.").updates.get()
    assert '<time datetime="2027-06-12T21:00:00Z">23:00 CEST (21:00 UTC)</time>' in update.body_html


@pytest.mark.django_db
def test_a_postmortem_is_about_the_day_on_which_it_began(page: Page) -> None:
    began = datetime(2026, 7, 1, 13, tzinfo=UTC)
    incident = make_resolved(page, at=began, until=began + timedelta(hours=1))
    postmortem = publish(incident, body="We saw it at @15:10.", actor=ALICE)
    assert '<time datetime="2026-07-01T13:10:00Z">15:10 CEST (13:10 UTC)</time>' in postmortem.body_html


@pytest.mark.django_db
def test_programs_and_plain_mails_read_the_time_in_words(page: Page) -> None:
    incident = make_incident(page, body="It began at @14:14.", at=datetime(2026, 7, 1, 13, tzinfo=UTC))
    expected = "It began at 14:14 CEST (12:14 UTC)."
    assert V2Serializer(page, "").update(incident.updates.get(), incident)["body"] == expected
    event = incident.events.get(kind="incident.opened")
    email = notification_email(read_notification([event.pk])[event.pk], zone=UTC)
    assert expected in email.text
    assert "12:14 UTC" in email.html
    assert incident.updates.get().body == "It began at @14:14."
