import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.models import AuditEntry, Page
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber
from tests.factories import make_incident, make_page, make_subscriber, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor(page: Page) -> Client:
    return signed_in("editor")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def addresses(client: Client, query: str = "") -> list[str]:
    html = client.get(f"/console/p/acme/subscribers{query}").content.decode()
    return re.findall(r'<td class="address"[^>]*>\s*<a\s[^>]+>([^<]+)</a>\s*</td>', html)


def deliver(page: Page, to: Subscriber, **more: Any) -> Delivery:
    event = make_incident(page).events.get()
    return Delivery.objects.create(event=event, subscriber=to, channel="email", priority=1, **more)


def test_without_subscribers_the_page_says_how_there_will_be_some(editor: Client) -> None:
    assert "No subscribers yet." in text_of(editor.get("/console/p/acme/subscribers"))


def test_subscribers_are_listed_newest_first_with_their_state(editor: Client, page: Page) -> None:
    make_subscriber(page, "first@example.org")
    second = make_subscriber(page, "second@example.org")
    second.pause("550 no such mailbox")
    assert addresses(editor) == ["second@example.org", "first@example.org"]
    text = text_of(editor.get("/console/p/acme/subscribers"))
    assert "550 no such mailbox" in text
    assert "All 2" in text
    assert "Active 1" in text


def test_the_last_delivery_is_shown(editor: Client, page: Page) -> None:
    reader = make_subscriber(page, "reader@example.org")
    assert "None yet" in text_of(editor.get("/console/p/acme/subscribers"))
    deliver(page, reader, state="sent")
    deliver(page, reader, state="failed", last_error="452 mailbox full")
    text = text_of(editor.get("/console/p/acme/subscribers"))
    assert "Failed" in text
    assert "452 mailbox full" in text
    assert "Sent" not in text


def test_a_state_filters_the_list(editor: Client, page: Page) -> None:
    make_subscriber(page, "stays@example.org")
    make_subscriber(page, "left@example.org").unsubscribe()
    assert addresses(editor, "?state=unsubscribed") == ["left@example.org"]
    assert addresses(editor, "?state=active") == ["stays@example.org"]
    assert len(addresses(editor, "?state=nonsense")) == 2


def test_a_part_of_an_address_is_found(editor: Client, page: Page) -> None:
    make_subscriber(page, "dana@example.org")
    make_subscriber(page, "kim@example.net")
    assert addresses(editor, "?q=DANA") == ["dana@example.org"]
    assert addresses(editor, "?q=example.net&state=active") == ["kim@example.net"]
    assert "No subscribers match “100%”" in text_of(editor.get("/console/p/acme/subscribers?q=100%25"))


def test_what_was_searched_for_is_shown_as_text(editor: Client, page: Page) -> None:
    make_subscriber(page)
    html = editor.get("/console/p/acme/subscribers", {"q": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert" not in html


def test_fifty_stand_on_a_page_and_the_filter_stays(editor: Client, page: Page) -> None:
    for number in range(51):
        make_subscriber(page, f"reader{number}@example.org")
    assert len(addresses(editor)) == 50
    assert addresses(editor, "?page=2&q=reader") == ["reader0@example.org"]
    html = editor.get("/console/p/acme/subscribers?q=reader&state=active").content.decode()
    assert "?page=2&amp;state=active&amp;q=reader" in html
    for odd in ("0", "-1", "x", "9999"):
        assert editor.get(f"/console/p/acme/subscribers?page={odd}").status_code == 200


def test_another_pages_subscribers_are_not_shown(editor: Client, page: Page) -> None:
    elsewhere = make_subscriber(make_page(name="Other"), "theirs@example.org")
    assert addresses(editor) == []
    assert editor.post(f"/console/p/acme/subscribers/{elsewhere.public_id}/unsubscribe").status_code == 404


def test_an_editor_unsubscribes_and_the_audit_log_says_who(editor: Client, page: Page) -> None:
    reader = make_subscriber(page, "reader@example.org")
    answer = editor.post(f"/console/p/acme/subscribers/{reader.public_id}/unsubscribe", follow=True)
    assert "reader@example.org unsubscribed." in text_of(answer)
    reader.refresh_from_db()
    assert reader.state == "unsubscribed"
    entry = AuditEntry.objects.get(verb="subscriber.unsubscribed")
    assert (entry.object_ref, "reader@" in str(entry.details)) == (reader.public_id, False)


def test_after_unsubscribing_one_stands_where_one_was(editor: Client, page: Page) -> None:
    reader = make_subscriber(page)
    html = editor.get("/console/p/acme/subscribers?state=active&q=example").content.decode()
    match = re.search(r'href="([^"]+/unsubscribe[^"]*)"', html)
    assert match
    where = match.group(1).replace("&amp;", "&")
    assert "?state=active&amp;q=example&amp;page=1" in editor.get(where).content.decode()
    answer = editor.post(where)
    assert answer["Location"] == "/console/p/acme/subscribers?state=active&q=example&page=1"
    reader.refresh_from_db()
    assert not reader.is_active


def test_unsubscribing_asks_first(editor: Client, page: Page) -> None:
    reader = make_subscriber(page, "reader@example.org")
    text = text_of(editor.get(f"/console/p/acme/subscribers/{reader.public_id}/unsubscribe"))
    assert "Unsubscribe reader@example.org?" in text
    reader.refresh_from_db()
    assert reader.is_active


def test_viewers_see_masked_addresses_and_cannot_probe_for_one(page: Page) -> None:
    reader = make_subscriber(page, "dana@example.org")
    reader.pause("550 dana@example.org: no such mailbox")
    deliver(page, reader, state="failed", last_error="550 dana@example.org unknown")
    viewer = signed_in("viewer")
    html = viewer.get("/console/p/acme/subscribers").content.decode()
    assert "d•••@example.org" in html
    assert "dana@" not in html
    assert 'name="q"' not in html
    assert len(addresses(viewer, "?q=nobody")) == 1
    assert viewer.post(f"/console/p/acme/subscribers/{reader.public_id}/unsubscribe").status_code == 403
    reader.refresh_from_db()
    assert reader.state == "paused"


def test_many_subscribers_cost_as_many_queries_as_few(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(60):
        deliver(page, make_subscriber(page, f"{number}@example.org"), state="sent")
    with django_assert_max_num_queries(9):
        assert len(addresses(editor)) == 50
