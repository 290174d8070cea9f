from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents.models import AuditEntry, Page
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Subscriber
from tests.console.staff import fill_in, invalid_controls, parsed_page, signed_in
from tests.factories import make_endpoint, make_incident, make_page

pytestmark = pytest.mark.django_db

HOOK = "https://hooks.slack.com/services/T000/B000/XXXXsecretXXXX"


@pytest.fixture
def page() -> Page:
    return make_page()


@pytest.fixture
def editor() -> Client:
    return signed_in("editor")


def delivered(endpoint: Subscriber, page: Page, **fields: Any) -> Delivery:
    incident = make_incident(page)
    event = incident.events.get()
    defaults = {"event": event, "incident": incident, "channel": endpoint.channel, "priority": 0}
    return Delivery.objects.create(subscriber=endpoint, **defaults | fields)


def test_an_editor_adds_a_chat_and_its_address_is_never_shown_again(editor: Client, page: Page) -> None:
    typed = fill_in(editor, "/console/p/acme/channels/new/slack", name="#ops", endpoint=HOOK)
    answer = editor.post("/console/p/acme/channels/new/slack", typed, follow=True)
    added = Subscriber.objects.get()
    assert (added.channel, added.endpoint, added.name, added.state) == ("slack", HOOK, "#ops", "active")
    assert "#ops connected" in parsed_page(answer).text
    for path in (
        "/console/p/acme/channels",
        f"/console/p/acme/channels/{added.public_id}",
        "/console/p/acme/subscribers",
    ):
        html = editor.get(path).content.decode()
        assert "https://hooks.slack.com/…XXXX" in html
        assert "secretXXXX" not in html
    entry = AuditEntry.objects.get(verb="endpoint.added")
    assert (entry.object_ref, entry.details) == (added.public_id, {"channel": "slack"})


@pytest.mark.parametrize("kind", ["webhook", "slack", "teams", "discord", "mattermost", "telegram", "ntfy", "sms"])
def test_every_channel_has_a_form_and_says_what_is_missing(editor: Client, page: Page, kind: str) -> None:
    answer = editor.post(f"/console/p/acme/channels/new/{kind}", {"name": "", "endpoint": "nonsense", "secret": "x y"})
    assert answer.status_code == 422
    wrong = {control.attributes["name"] for control in invalid_controls(parsed_page(answer))}
    assert {"name", "endpoint"} <= wrong
    assert not Subscriber.objects.exists()
    assert "nonsense" in answer.content.decode()


def test_there_is_no_form_for_another_channel(editor: Client, page: Page) -> None:
    assert editor.get("/console/p/acme/channels/new/email").status_code == 404
    assert editor.get("/console/p/acme/channels/new/fax").status_code == 404


def test_the_same_address_is_not_added_twice_but_a_removed_one_can_come_back(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, HOOK, "slack", name="old")
    answer = editor.post("/console/p/acme/channels/new/slack", {"name": "new", "endpoint": HOOK})
    assert "already on the list" in parsed_page(answer).text
    endpoint.unsubscribe()
    editor.post("/console/p/acme/channels/new/slack", {"name": "new", "endpoint": HOOK})
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.state) == ("new", "active")


def test_a_private_address_is_refused_with_what_to_do(editor: Client, page: Page) -> None:
    answer = editor.post(
        "/console/p/acme/channels/new/mattermost", {"name": "x", "endpoint": "http://10.1.2.3/hooks/x"}
    )
    assert "OUTBOUND_ALLOW" in parsed_page(answer).text


def test_buttons_test_pause_and_resume(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, HOOK, "slack")
    path = f"/console/p/acme/channels/{endpoint.public_id}/act"
    editor.post(path, {"do": "test"})
    assert Delivery.objects.get().kind == "test"
    for act, state in (("pause", "paused"), ("resume", "active")):
        editor.post(path, {"do": act})
        endpoint.refresh_from_db()
        assert endpoint.state == state
    assert editor.post(path, {"do": "explode"}).status_code == 404


def test_a_webhooks_secret_is_shown_once_and_only_by_a_button(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, "https://example.com/hook")
    path = f"/console/p/acme/channels/{endpoint.public_id}"
    assert "whsec_" not in editor.get(path).content.decode()
    html = editor.post(f"{path}/secret").content.decode()
    endpoint.refresh_from_db()
    assert endpoint.secret in html
    assert "whsec_" not in editor.get(path).content.decode()
    assert (
        editor.post(f"/console/p/acme/channels/{make_endpoint(page, HOOK, 'slack').public_id}/secret").status_code
        == 404
    )


def test_a_settled_delivery_is_sent_again(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, HOOK, "slack")
    delivery = delivered(endpoint, page, state="failed", attempts=10, last_error="500 oh no")
    path = f"/console/p/acme/channels/{endpoint.public_id}"
    assert "500 oh no" in parsed_page(editor.get(path)).text
    answer = editor.post(f"{path}/replay", {"delivery": delivery.pk}, follow=True)
    delivery.refresh_from_db()
    assert "queued again" in parsed_page(answer).text
    assert (delivery.state, delivery.attempts) == ("queued", 0)
    answer = editor.post(f"{path}/replay", {"delivery": delivery.pk}, follow=True)
    assert "already queued" in parsed_page(answer).text
    assert AuditEntry.objects.filter(verb="delivery.replayed").count() == 1
    for odd in ("", "x", "9" * 40, "-1", str(delivery.pk + 99)):
        assert editor.post(f"{path}/replay", {"delivery": odd}).status_code == 404


def test_removing_asks_first_and_forgets_the_secret(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, "-100123", "telegram", secret="123456789:token", name="Ops")
    path = f"/console/p/acme/channels/{endpoint.public_id}/remove"
    assert "Remove Ops?" in parsed_page(editor.get(path)).text
    editor.post(path)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.secret) == ("unsubscribed", "")


def test_viewers_see_names_and_states_but_neither_addresses_nor_answers(page: Page) -> None:
    endpoint = make_endpoint(page, "+4915112345678", "sms", name="Night shift", email="")
    endpoint.pause("400 +4915112345678 is not a number")
    delivered(endpoint, page, state="failed", last_error="400 +4915112345678 is not a number")
    viewer = signed_in("viewer")
    for path in (
        "/console/p/acme/channels",
        f"/console/p/acme/channels/{endpoint.public_id}",
        "/console/p/acme/subscribers",
    ):
        html = viewer.get(path).content.decode()
        assert "4915112345678" not in html
    assert "Night shift" in parsed_page(viewer.get("/console/p/acme/channels")).text
    assert [form.attributes["action"] for form in parsed_page(viewer.get("/console/p/acme/channels")).all("form")] == [
        "/accounts/logout/"
    ]


def test_another_pages_endpoints_are_out_of_reach(editor: Client, page: Page) -> None:
    theirs = make_endpoint(make_page(name="Other"), HOOK, "slack", name="Theirs")
    delivery = delivered(theirs, page)
    assert "Theirs" not in parsed_page(editor.get("/console/p/acme/channels")).text
    for path, data in (("", None), ("/act", {"do": "test"}), ("/replay", {"delivery": delivery.pk}), ("/remove", {})):
        url = f"/console/p/acme/channels/{theirs.public_id}{path}"
        answer = editor.get(url) if data is None else editor.post(url, data)
        assert answer.status_code == 404


def test_a_name_is_shown_as_text(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, HOOK, "slack", name='"><script>alert(1)</script>')
    for path in ("/console/p/acme/channels", f"/console/p/acme/channels/{endpoint.public_id}"):
        assert "<script>alert" not in editor.get(path).content.decode()


def test_many_endpoints_and_deliveries_cost_as_many_queries_as_few(
    editor: Client, page: Page, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(60):
        make_endpoint(page, f"{HOOK}{number}", "slack")
    busy = make_endpoint(page, f"{HOOK}busy", "slack", created_at=timezone.now() - timedelta(days=1))
    for _ in range(15):
        delivered(busy, page, state="sent", sent_at=timezone.now())
    with django_assert_max_num_queries(8):
        assert parsed_page(editor.get("/console/p/acme/channels")).text.count("Slack") >= 50
    with django_assert_max_num_queries(8):
        assert parsed_page(editor.get(f"/console/p/acme/channels/{busy.public_id}")).text.count("Accepted") == 15


def test_a_removed_endpoint_is_not_resumed(editor: Client, page: Page) -> None:
    endpoint = make_endpoint(page, "https://example.com/hook")
    path = f"/console/p/acme/channels/{endpoint.public_id}"
    editor.post(f"{path}/remove")
    answer = editor.post(f"{path}/act", {"do": "resume"}, follow=True)
    assert "was removed and cannot be resumed" in parsed_page(answer).text
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.secret) == ("unsubscribed", "")


def test_a_webhook_that_its_owner_unsubscribed_is_not_added_behind_their_back(editor: Client, page: Page) -> None:
    hook = make_endpoint(page, "https://example.com/hook", email="ada@example.org", confirmation_sent_at=timezone.now())
    hook.unsubscribe()
    typed = {"name": "Hook", "endpoint": hook.endpoint, "email": hook.email}
    answer = editor.post("/console/p/acme/channels/new/webhook", typed)
    assert (answer.status_code, "Only the owner can subscribe it again" in parsed_page(answer).text) == (422, True)
    hook.refresh_from_db()
    assert hook.state == "unsubscribed"


def test_a_webhook_of_staffs_own_comes_back_with_a_new_secret(editor: Client, page: Page) -> None:
    hook = make_endpoint(page, "https://example.com/hook")
    old = hook.secret
    hook.unsubscribe()
    editor.post("/console/p/acme/channels/new/webhook", {"name": "Hook", "endpoint": hook.endpoint})
    hook.refresh_from_db()
    assert hook.state == "active"
    assert hook.secret not in ("", old)
