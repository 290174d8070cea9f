"""Subscribers through the API: the same verbs as the console's, and no address for those who may only read."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from incidents.models import AuditEntry
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.models import Delivery
from statuspage.subscribers.models import Channel, Subscriber, SubscriberState
from tests.api.programs import Program
from tests.factories import (
    make_component,
    make_endpoint,
    make_group,
    make_incident,
    make_subscriber,
    make_subscriber_with,
)

KEYS = """id page_id skip_confirmation_notification mode email endpoint phone_number phone_country
display_phone_number obfuscated_channel_name workspace_name quarantined_at purge_at components page_access_user_id
created_at"""


def test_a_subscriber_receives_a_confirmation_email(program: Program) -> None:
    made = program.post("/subscribers", {"subscriber": {"email": "Jane@Example.com"}})
    assert list(made) == KEYS.split()
    assert (made["mode"], made["email"], made["components"]) == ("email", "jane@example.com", [])
    assert made["purge_at"]
    assert Subscriber.objects.get().state == SubscriberState.PENDING
    fan_out_waiting()
    assert Delivery.objects.get().kind == "confirmation"
    assert program.get("/subscribers") == []
    assert program.get("/subscribers?state=unconfirmed") == [made]


def test_a_subscriber_who_already_agreed_is_active_at_once(program: Program) -> None:
    api = make_component(program.page)
    data = {"email": "a@example.com", "skip_confirmation_notification": True, "component_ids": [api.public_id]}
    made = program.post("/subscribers", {"subscriber": data})
    assert (made["components"], made["purge_at"]) == ([api.public_id], None)
    assert program.get("/subscribers") == [made]
    assert not Delivery.objects.exists()


def test_a_webhook_is_active_at_once(program: Program) -> None:
    data = {"endpoint": "https://hooks.example.com/x", "email": "owner@example.com"}
    made = program.post("/subscribers", {"subscriber": data})
    assert (made["mode"], made["endpoint"], made["email"]) == ("webhook", data["endpoint"], data["email"])
    assert Subscriber.objects.get().secret


def test_a_phone_number_needs_an_sms_gateway(program: Program, settings: Settings) -> None:
    data = {"subscriber": {"phone_number": "+49 151 12345678", "phone_country": "DE"}}
    assert "SMS_GATEWAY_URL" in program.post("/subscribers", data, code=422)["error"]["phone_number"][0]
    settings.SMS_GATEWAY_URL = "https://sms.example.com"
    made = program.post("/subscribers", data)
    assert (made["mode"], made["phone_number"]) == ("sms", "+4915112345678")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"endpoint": "http://127.0.0.1/x"}, "endpoint"),
        ({"endpoint": "ftp://example.com"}, "endpoint"),
        ({"endpoint": "https://example.com/x", "email": "nonsense"}, "email"),
        ({"email": "a@example.com", "component_ids": []}, "component_ids"),
        ({"email": "a@example.com", "component_ids": ["nosuch"]}, "component_ids"),
    ],
)
def test_invalid_input_names_the_field_and_adds_nobody(program: Program, data: dict[str, Any], field: str) -> None:
    assert list(program.post("/subscribers", {"subscriber": data}, code=422)["error"]) == [field]
    assert not Subscriber.objects.exists()


def test_an_unsubscribed_address_is_not_subscribed_again_without_consent(program: Program) -> None:
    make_subscriber(program.page, "a@example.com").unsubscribe()
    error = program.post("/subscribers", {"subscriber": {"email": "a@example.com"}}, code=422)
    assert "unsubscribed" in error["error"]["email"][0]


def test_the_components_that_a_subscriber_follows_are_changed(program: Program) -> None:
    api = make_component(program.page)
    reader = make_subscriber_with(program.page, detail="milestones")
    path = f"/subscribers/{reader.public_id}"
    assert program.patch(path, {"component_ids": [api.public_id]})["components"] == [api.public_id]
    reader.refresh_from_db()
    assert (reader.whole_page, reader.detail) == (False, "milestones")
    assert program.patch(path, {})["components"] == []
    assert "component_ids" in program.patch(path, {"component_ids": []}, code=422)["error"]


def test_a_selected_group_is_returned_as_its_components(program: Program) -> None:
    group = make_group(program.page)
    api = make_component(program.page, group=group)
    reader = make_subscriber_with(program.page, groups=(group,))
    assert program.get(f"/subscribers/{reader.public_id}")["components"] == [api.public_id]


def test_deleting_means_unsubscribing(program: Program) -> None:
    reader = make_subscriber(program.page)
    assert program.delete(f"/subscribers/{reader.public_id}")["id"] == reader.public_id
    assert program.get("/subscribers") == []
    assert [row["id"] for row in program.get("/subscribers/unsubscribed")] == [reader.public_id]
    entry = AuditEntry.objects.get(verb="subscriber.unsubscribed")
    assert (entry.actor_kind, entry.actor_label) == ("token", "Deploy script")


def test_pages_of_subscribers_count_from_zero(program: Program) -> None:
    for number in range(5):
        make_subscriber(program.page, f"reader{number}@example.com")
    emails = [row["email"] for page in (0, 1, 2) for row in program.get(f"/subscribers?limit=2&page={page}")]
    assert emails == [f"reader{number}@example.com" for number in range(5)]
    last = program.get("/subscribers?limit=1&sort_field=created_at&sort_direction=desc")
    assert last[0]["email"] == "reader4@example.com"
    assert [row["email"] for row in program.get("/subscribers?q=READER3")] == ["reader3@example.com"]


def test_subscribers_are_counted_by_type_and_state(program: Program) -> None:
    make_subscriber(program.page)
    make_subscriber(program.page, state=SubscriberState.PENDING, confirmed_at=None)
    make_subscriber(program.page).pause("x")
    make_subscriber(program.page).unsubscribe()
    make_endpoint(program.page, "https://hooks.example.com/x")
    make_endpoint(program.page, "https://discord.example.com/x", Channel.DISCORD)
    histogram = program.get("/subscribers/histogram_by_state")
    assert histogram["email"] == {"active": 1, "unconfirmed": 1, "quarantined": 1, "total": 3}
    assert (histogram["webhook"]["active"], histogram["integration_partner"]["active"]) == (1, 1)
    assert program.get("/subscribers/count") == {
        "email": 1,
        "sms": 0,
        "webhook": 1,
        "integration_partner": 1,
        "slack": 0,
        "teams": 0,
    }
    assert program.get("/subscribers/count?type=email&state=all")["email"] == 3
    assert program.get("/subscribers/count?type=email&state=all")["webhook"] == 0


def test_the_secret_url_of_a_chat_channel_is_not_returned(program: Program) -> None:
    secret = "https://hooks.slack.com/services/T0/B0/very-secret"
    made = make_endpoint(program.page, secret, Channel.SLACK)
    document = program.get(f"/subscribers/{made.public_id}")
    assert document["mode"] == "slack"
    assert "very-secret" not in str(document)
    assert document["obfuscated_channel_name"]


def test_many_subscribers_are_unsubscribed_reactivated_and_sent_confirmations(program: Program) -> None:
    active = [make_subscriber(program.page) for _ in range(3)]
    paused = make_subscriber(program.page)
    paused.pause("bounced")
    hook = make_endpoint(program.page, "https://hooks.example.com/x")
    hook.pause("failing")
    assert program.post("/subscribers/reactivate", {"subscribers": "all"}) == {"count": 2}
    assert program.post("/subscribers/unsubscribe", {"subscribers": [active[0].public_id]}) == {"count": 1}
    assert program.post("/subscribers/unsubscribe", {"subscribers": "all", "type": "email"}) == {"count": 3}
    waiting = make_subscriber(program.page, state=SubscriberState.PENDING, confirmed_at=None)
    assert program.post("/subscribers/resend_confirmation", {"subscribers": [waiting.public_id]}) == {"count": 1}
    assert program.post("/subscribers/resend_confirmation", {"subscribers": "all"}) == {"count": 0}
    assert [row["id"] for row in program.get("/subscribers")] == [hook.public_id]
    program.post("/subscribers/unsubscribe", {"subscribers": ["nosuch"]}, code=404)


def test_more_than_a_hundred_at_once_are_rejected(program: Program) -> None:
    now = timezone.now()
    Subscriber.objects.bulk_create(
        Subscriber(page=program.page, email=f"r{number}@example.com", state="active", confirmed_at=now)
        for number in range(101)
    )
    assert "subscribers" in program.post("/subscribers/unsubscribe", {"subscribers": "all"}, code=422)["error"]
    assert Subscriber.objects.filter(state="active").count() == 101


def test_only_unconfirmed_subscribers_receive_another_confirmation(program: Program) -> None:
    waiting = make_subscriber(program.page, state=SubscriberState.PENDING, confirmed_at=None)
    assert program.post(f"/subscribers/{waiting.public_id}/resend_confirmation")["id"] == waiting.public_id
    fan_out_waiting()
    assert Delivery.objects.count() == 1
    active = make_subscriber(program.page)
    program.post(f"/subscribers/{active.public_id}/resend_confirmation", code=422)


def test_one_incident_has_subscribers_of_its_own(program: Program) -> None:
    incident = make_incident(program.page)
    path = f"/incidents/{incident.public_id}/subscribers"
    made = program.post(path, {"subscriber": {"email": "a@example.com", "skip_confirmation_notification": True}})
    make_subscriber(program.page)
    assert [row["id"] for row in program.get(path)] == [made["id"]]
    assert program.get(f"{path}/{made['id']}") == made
    program.post(f"{path}/{made['id']}/resend_confirmation", code=422)
    program.delete(f"{path}/{made['id']}")
    assert program.get(path) == []
    assert Subscriber.objects.get(public_id=made["id"]).state == SubscriberState.UNSUBSCRIBED


def test_a_subscriber_of_more_than_the_incident_stays_subscribed(program: Program) -> None:
    incident, api = make_incident(program.page), make_component(program.page)
    reader = make_subscriber_with(program.page, incidents=(incident,), components=(api,))
    program.delete(f"/incidents/{incident.public_id}/subscribers/{reader.public_id}")
    reader.refresh_from_db()
    assert reader.is_active
    assert program.get(f"/subscribers/{reader.public_id}")["components"] == [api.public_id]


def test_the_queries_of_a_list_do_not_grow_with_its_length(
    program: Program, django_assert_max_num_queries: Any
) -> None:
    api = make_component(program.page)
    for _ in range(15):
        make_subscriber_with(program.page, components=(api,))
    program.get("/subscribers")
    with django_assert_max_num_queries(6):
        assert len(program.get("/subscribers")) == 15
