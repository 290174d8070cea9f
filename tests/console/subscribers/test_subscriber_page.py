"""One subscriber: what they are told of, what was sent, and what staff may do about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Page
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber, SubscriberState
from statuspage.subscribers.preferences import preferences_of
from tests.console.staff import fields_of, form_to, invalid_controls, parsed_page, signed_in
from tests.factories import (
    make_component,
    make_group,
    make_incident,
    make_page,
    make_subscriber,
    make_subscriber_with,
    post,
)

pytestmark = pytest.mark.django_db
NEW = "/console/p/acme/subscribers/new"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def address(reader: Subscriber, action: str = "") -> str:
    return f"/console/p/acme/subscribers/{reader.public_id}{action}"


def add(editor: Client, **typed: Any) -> Any:
    return editor.post(NEW, {**fields_of(form_to(parsed_page(editor.get(NEW)))), **typed}, follow=True)


def last_entry() -> AuditEntry:
    entry = AuditEntry.objects.first()
    assert entry is not None
    return entry


def test_staff_see_labels_that_do_not_address_the_subscriber(editor: Client, page: Page) -> None:
    for path in (NEW, address(make_subscriber(page))):
        text = parsed_page(editor.get(path)).text
        assert "Types of notifications" in text
        assert "Send me" not in text
        assert "Notify me about" not in text


def test_a_subscriber_is_added_and_asked_to_confirm(editor: Client, page: Page) -> None:
    answer = add(editor, email=" Ada@Example.com")
    ada = Subscriber.objects.get()
    assert (ada.email, ada.state) == ("ada@example.com", "pending")
    assert "Confirmation email sent to" in parsed_page(answer).text
    fan_out_waiting()
    assert [delivery.kind for delivery in Delivery.objects.all()] == ["confirmation"]


def test_a_subscriber_is_added_by_the_word_of_staff_and_the_audit_log_says_so(editor: Client, page: Page) -> None:
    rest = make_component(page, "REST")
    add(editor, email="ada@example.com", by="word", scope="selected", components=[rest.public_id])
    ada = Subscriber.objects.get()
    assert ada.is_active
    assert preferences_of(ada).components == (rest,)
    assert not Delivery.objects.exists()
    entry = last_entry()
    assert (entry.verb, entry.object_ref) == ("subscriber.added", ada.public_id)
    assert entry.details == {"confirmed_by_staff": True}


def test_who_waits_for_confirmation_can_be_vouched_for(editor: Client, page: Page) -> None:
    make_subscriber(page, "ada@example.com", state=SubscriberState.PENDING, confirmed_at=None)
    add(editor, email="ada@example.com", by="word")
    assert Subscriber.objects.get().is_active


@pytest.mark.parametrize(
    ("state", "expected"),
    [("active", "is already on the list"), ("paused", "is already on the list"), ("unsubscribed", "is unsubscribed")],
)
@pytest.mark.parametrize("by", ["ask", "word"])
def test_nobody_is_signed_up_behind_their_back(editor: Client, page: Page, state: str, expected: str, by: str) -> None:
    make_subscriber(page, "ada@example.com", state=state)
    answer = add(editor, email="ada@example.com", by=by, kinds=["incidents"])
    assert answer.status_code == 422
    document = parsed_page(answer)
    assert expected in document.text
    assert fields_of(form_to(document))["email"] == ["ada@example.com"]
    assert fields_of(form_to(document))["kinds"] == ["incidents"]
    assert invalid_controls(document)
    ada = Subscriber.objects.get()
    assert (ada.state, preferences_of(ada).tells_maintenances) == (state, True)
    assert not AuditEntry.objects.filter(verb="subscriber.added").exists()


def test_what_is_wrong_stands_beside_its_field(editor: Client, page: Page) -> None:
    answer = add(editor, email="ada", scope="selected", kinds=[])
    assert answer.status_code == 422
    text = parsed_page(answer).text
    assert "Enter a complete email address." in text
    assert "Choose at least one type of notification" in text
    assert not Subscriber.objects.exists()


def test_the_page_says_what_they_are_told_of(editor: Client, page: Page) -> None:
    apis = make_group(page, "APIs")
    reader = make_subscriber_with(
        page, "ada@example.com", groups=(apis,), detail="milestones", time_zone="Asia/Tokyo", tells_postmortems=False
    )
    text = parsed_page(editor.get(address(reader))).text
    for expected in ("APIs (whole group)", "Incidents, maintenances", "Only the start and the end", "Asia/Tokyo"):
        assert expected in text


def test_whoever_chose_only_what_is_gone_is_said_to_be_told_nothing(editor: Client, page: Page) -> None:
    reader = make_subscriber_with(page, groups=(make_group(page),))
    reader.interests.all().delete()
    assert "Nothing (the selected parts no longer exist)" in parsed_page(editor.get(address(reader))).text


def test_an_editor_changes_it_for_them(editor: Client, page: Page) -> None:
    reader = make_subscriber_with(page, "ada@example.com")
    fields = fields_of(form_to(parsed_page(editor.get(address(reader)))))
    answer = editor.post(address(reader), {**fields, "kinds": ["incidents"], "time_zone": "Asia/Tokyo"}, follow=True)
    assert "Preferences saved." in parsed_page(answer).text
    preferences = preferences_of(Subscriber.objects.get())
    assert (preferences.kinds, preferences.time_zone) == (["incidents"], "Asia/Tokyo")
    assert last_entry().verb == "subscriber.changed"


def test_a_mistake_there_saves_nothing(editor: Client, page: Page) -> None:
    reader = make_subscriber_with(page, "ada@example.com")
    fields = fields_of(form_to(parsed_page(editor.get(address(reader)))))
    answer = editor.post(address(reader), {**fields, "kinds": [], "time_zone": "Asia/Tokyo"})
    assert answer.status_code == 422
    assert fields_of(form_to(parsed_page(answer)))["time_zone"] == ["Asia/Tokyo"]
    assert preferences_of(Subscriber.objects.get()).time_zone == ""


def test_pausing_and_resuming(editor: Client, page: Page) -> None:
    reader = make_subscriber(page, "ada@example.com")
    document = parsed_page(editor.post(address(reader, "/pause"), follow=True))
    assert "Paused by staff." in document.text
    make_incident(page)
    fan_out_waiting()
    assert not Delivery.objects.exists()
    assert form_to(document, address(reader, "/resume"))
    editor.post(address(reader, "/resume"))
    reader.refresh_from_db()
    assert (reader.state, reader.paused_reason) == ("active", "")
    assert [entry.verb for entry in AuditEntry.objects.filter(object_ref=reader.public_id)] == [
        "subscriber.resumed",
        "subscriber.paused",
    ]


@pytest.mark.parametrize("state", ["pending", "unsubscribed"])
def test_resuming_confirms_nobody(editor: Client, page: Page, state: str) -> None:
    reader = make_subscriber(page, state=state)
    editor.post(address(reader, "/resume"))
    editor.post(address(reader, "/pause"))
    reader.refresh_from_db()
    assert reader.state == state


def test_asking_to_confirm_again_is_one_mail_a_day(editor: Client, page: Page) -> None:
    reader = make_subscriber(page, state=SubscriberState.PENDING, confirmed_at=None)
    assert "Confirmation email sent." in parsed_page(editor.post(address(reader, "/confirmation"), follow=True)).text
    assert "You can send one per day" in parsed_page(editor.post(address(reader, "/confirmation"), follow=True)).text
    fan_out_waiting()
    assert Delivery.objects.count() == 1
    Subscriber.objects.update(confirmation_sent_at=timezone.now() - timedelta(days=1, seconds=1))
    editor.post(address(reader, "/confirmation"))
    fan_out_waiting()
    assert Delivery.objects.count() == 2


def test_who_has_left_is_not_asked_again(editor: Client, page: Page) -> None:
    reader = make_subscriber(page, state=SubscriberState.UNSUBSCRIBED)
    answer = editor.post(address(reader, "/confirmation"), follow=True)
    assert "Only its owner can subscribe it again" in parsed_page(answer).text
    assert not Delivery.objects.exists()
    assert not form_actions(parsed_page(editor.get(address(reader))))


def form_actions(document: Any) -> list[str]:
    """What may be pressed on the page itself, beside saving."""
    return [form.attributes["action"] for form in document.one("main").all("form") if form.attributes.get("action")]


def test_the_whole_history_is_there_newest_first(editor: Client, page: Page) -> None:
    reader = make_subscriber(page)
    incident = make_incident(page, title="API outage")
    post(incident)
    fan_out_waiting()
    Delivery.objects.filter(event__kind="incident.opened").update(state="failed", last_error="550 no such mailbox")
    rows = parsed_page(editor.get(address(reader))).one("tbody").all("tr")
    assert ["Identified" in row.text for row in rows] == [True, False]
    assert "550 no such mailbox" in rows[1].text
    assert "Failed" in rows[1].text


def test_a_long_history_is_paged_and_costs_as_much_as_a_short_one(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    reader = make_subscriber(page)
    incident = make_incident(page)
    for _ in range(60):
        post(incident)
    fan_out_waiting()
    with django_assert_max_num_queries(11):
        document = parsed_page(editor.get(address(reader)))
    assert len(document.one("tbody").all("tr")) == 50
    document = parsed_page(editor.get(address(reader) + "?page=2"))
    assert len(document.one("tbody").all("tr")) == 11


def test_viewers_see_no_address_and_nothing_to_press(page: Page) -> None:
    reader = make_subscriber(page, "dana@example.org")
    make_incident(page)
    fan_out_waiting()
    Delivery.objects.update(state="failed", last_error="550 dana@example.org unknown")
    reader.pause("550 dana@example.org: no such mailbox")
    viewer = signed_in("viewer")
    answer = viewer.get(address(reader))
    assert "dana@" not in answer.content.decode()
    assert "d•••@example.org" in parsed_page(answer).one("h1").text
    assert not parsed_page(answer).one("main").all("form")
    assert viewer.post(address(reader), {"scope": "page", "kinds": "incidents"}).status_code == 403
    reader.refresh_from_db()
    assert reader.tells_postmortems


def test_the_audit_log_names_no_address(editor: Client, page: Page) -> None:
    add(editor, email="ada@example.com", by="word")
    ada = Subscriber.objects.get()
    for action in ("/pause", "/confirmation", "/resume", "/unsubscribe"):
        editor.post(address(ada, action))
    entries = AuditEntry.objects.filter(object_type="subscriber")
    assert entries.count() == 5
    assert not any("ada@" in f"{entry} {entry.details}" for entry in entries)


def test_another_pages_subscriber_is_out_of_reach(editor: Client, page: Page) -> None:
    elsewhere = make_subscriber(make_page(name="Other"))
    assert editor.get(address(elsewhere)).status_code == 404
    for action in ("", "/pause", "/resume", "/confirmation", "/unsubscribe"):
        assert editor.post(address(elsewhere, action)).status_code == 404
    elsewhere.refresh_from_db()
    assert elsewhere.is_active


def test_the_list_is_narrowed_by_scope_and_channel(editor: Client, page: Page) -> None:
    make_subscriber_with(page, "all@example.com")
    make_subscriber_with(page, "some@example.com", components=(make_component(page),))
    for query, expected in (
        ("scope=page", {"all@example.com"}),
        ("scope=selected", {"some@example.com"}),
        ("scope=nonsense&channel=nonsense", {"all@example.com", "some@example.com"}),
        ("channel=webhook", set()),
        ("channel=email&scope=selected&q=some&state=active", {"some@example.com"}),
    ):
        document = parsed_page(editor.get(f"/console/p/acme/subscribers?{query}"))
        assert {cell.one("a").text for cell in document.all("td", class_="address")} == expected
    assert fields_of(document.one("form", class_="list-filter")) == {
        "q": ["some"],
        "scope": ["selected"],
        "channel": ["email"],
        "state": ["active"],
    }


def test_ten_thousand_subscribers_cost_the_list_no_more_queries(
    editor: Client, page: Page, django_assert_num_queries: Callable[[int], Any]
) -> None:
    make_subscriber(page)
    with django_assert_num_queries(9):
        editor.get("/console/p/acme/subscribers")
    now = timezone.now()
    Subscriber.objects.bulk_create(
        Subscriber(page=page, email=f"r{number}@example.com", state="active", confirmed_at=now)
        for number in range(10_000)
    )
    with django_assert_num_queries(9):
        editor.get("/console/p/acme/subscribers?page=100&state=active&scope=page&q=example")


def test_deleting_a_group_leaves_its_followers_its_components(editor: Client, page: Page) -> None:
    apis = make_group(page, "APIs")
    rest = make_component(page, "REST", group=apis)
    reader = make_subscriber_with(page, groups=(apis,))
    editor.post(f"/console/p/acme/groups/{apis.public_id}/delete")
    assert preferences_of(reader).components == (rest,)
