"""What each chat is sent, word for word, compared with fixtures, and what its answers lead to."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from incidents.actions.incidents import incident_lifecycle as incident_actions
from incidents.actions.maintenances import maintenance_lifecycle
from incidents.actions.postmortems import postmortem_lifecycle
from incidents.actions.update_input import UpdateInput
from incidents.models import Incident, Page
from statuspage.dispatcher.loop import drain
from statuspage.notifications import endpoint_messages
from statuspage.notifications.messages import chat as messages_chat
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports import ENDPOINT_TRANSPORTS
from statuspage.subscribers.models import Channel, Subscriber
from tests.factories import ALICE, make_component, make_endpoint, make_group, make_incident, make_maintenance, post
from tests.receivers import Receiver, Reply

pytestmark = pytest.mark.django_db(transaction=True)

FIXTURES = Path(__file__).parent / "fixtures" / "chats"
TITLE = "Checkout <b>fails</b> & @channel *wonders* [why](https://evil.example)"
BODY = """**Payments** fail with `ERR_<402>` since *09:40*. @here see [the runbook](https://example.com/a(b)?c=d&e=f).

- first
- second, ~~gone~~

1. restart
2. wait

> quoted & kept

```
code < here
```

![graph](https://example.com/g.png)
"""
TOKEN = "123456789:AAEhBP0av28FrI4Ugz8Zq0Wz3yX4kL5mN6o"
MARKDOWN_CHATS = [Channel.SLACK, Channel.DISCORD, Channel.TEAMS, Channel.MATTERMOST, Channel.TELEGRAM, Channel.NTFY]


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings, receiver: Receiver) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    settings.SITE_URL = "https://status.example.com"
    settings.TELEGRAM_API_URL = receiver.url("/telegram")
    settings.SMS_GATEWAY_URL = receiver.url("/Accounts/AC1/Messages.json")
    settings.SMS_GATEWAY_USER, settings.SMS_GATEWAY_PASSWORD, settings.SMS_FROM = "AC1", "pass:word", "+15005550006"


def make_chat(page: Page, channel: str, receiver: Receiver) -> Subscriber:
    if channel == Channel.TELEGRAM:
        return make_endpoint(page, "-1001234567890", channel, secret=TOKEN)
    if channel == Channel.SMS:
        return make_endpoint(page, "+4915112345678", channel)
    return make_endpoint(page, receiver.url("/acme-status"), channel, secret="tk_1" if channel == Channel.NTFY else "")


def declare(page: Page, **more: Any) -> Incident:
    api = make_component(page, "Card *payments*", group=make_group(page, "Checkout"))
    at = datetime(2026, 3, 1, 9, 41, tzinfo=UTC)
    return make_incident(page, title=TITLE, body=BODY, components={api: "partial_outage"}, at=at, **more)


def sent_payload(page: Page, channel: str, receiver: Receiver) -> Any:
    make_chat(page, channel, receiver)
    incident = declare(page)
    drain()
    (received,) = receiver.requests
    return json.loads(received.body.decode().replace(incident.public_id, "abcdefghij12"))


@pytest.mark.parametrize("channel", MARKDOWN_CHATS)
def test_an_incident_is_told_as_in_the_fixture(page: Page, channel: str, receiver: Receiver) -> None:
    assert sent_payload(page, channel, receiver) == json.loads(
        (FIXTURES / f"{channel}.json").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("channel", MARKDOWN_CHATS)
def test_titles_and_texts_cannot_mention_users(page: Page, channel: str, receiver: Receiver) -> None:
    text = json.dumps(sent_payload(page, channel, receiver), ensure_ascii=False)
    assert "@\u200bchannel" in text
    assert "@\u200bhere" in text
    assert "@channel" not in text
    assert "@here" not in text
    assert "<!" not in text


def test_slack_is_sent_nothing_that_it_would_take_for_a_command(page: Page, receiver: Receiver) -> None:
    make_chat(page, Channel.SLACK, receiver)
    make_incident(page, title="<!channel> <@U012AB3CD>", body="<!everyone> <https://evil.example|ours>")
    drain()
    text = receiver.requests[0].body.decode()
    assert "<!" not in text
    assert "<@" not in text
    assert "<https://evil" not in text


def test_discord_messages_disable_mentions(page: Page, receiver: Receiver) -> None:
    assert sent_payload(page, Channel.DISCORD, receiver)["allowed_mentions"] == {"parse": []}


def test_a_follow_up_carries_the_colour_of_its_status_and_a_link(page: Page, receiver: Receiver) -> None:
    make_chat(page, Channel.SLACK, receiver)
    incident = declare(page)
    post(incident, "monitoring", "Better.")
    incident_actions.resolve(incident, UpdateInput(body="Over."), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(incident, body="What happened.", actor=ALICE)
    drain()
    attachments = [received.json["attachments"][0] for received in receiver.requests]
    colours = [attachment["color"] for attachment in attachments]
    assert colours == [messages_chat.ORANGE, messages_chat.BLUE, messages_chat.GREEN, messages_chat.GRAY]
    url = f"https://status.example.com/incidents/{incident.public_id}"
    titles = [attachment["blocks"][0]["text"]["text"] for attachment in attachments]
    assert all(title.startswith(f"*<{url}|") for title in titles)
    assert [title.split("|")[1].split(":")[0] for title in titles] == [
        "Investigating",
        "Monitoring",
        "Resolved",
        "Postmortem",
    ]


def test_of_a_maintenance_chats_say_what_happened_in_the_words_of_the_mails(page: Page, receiver: Receiver) -> None:
    make_endpoint(page, receiver.url("/hook"), Channel.MATTERMOST)
    begins = timezone.now() + timedelta(minutes=90)
    maintenance = make_maintenance(page, title="Upgrade", begins=begins, reminders=(60,))
    drain()
    later = timezone.now() + timedelta(hours=3)
    maintenance_lifecycle.reschedule(
        maintenance, scheduled_for=later, scheduled_until=later + timedelta(hours=1), actor=ALICE
    )
    drain()
    maintenance_lifecycle.cancel(Incident.objects.get(), actor=ALICE)
    drain()
    titles = [received.json["attachments"][0]["title"] for received in receiver.requests]
    assert titles == ["Scheduled: Upgrade", "Rescheduled: Upgrade", "Cancelled: Upgrade"]


def test_a_reminder_says_in_a_chat_how_soon(page: Page, receiver: Receiver) -> None:
    make_endpoint(page, receiver.url("/hook"), Channel.MATTERMOST)
    begins = timezone.now() + timedelta(minutes=60, seconds=30)
    maintenance = make_maintenance(page, title="Upgrade", begins=begins, reminders=(60,))
    drain()
    maintenance.reminders.update(due_at=timezone.now())
    drain()
    titles = [received.json["attachments"][0]["title"] for received in receiver.requests]
    assert titles == ["Scheduled: Upgrade", "Begins in 60 minutes: Upgrade"]


@pytest.mark.parametrize(
    ("status", "impact", "tone"),
    [
        ("investigating", "none", messages_chat.GRAY),
        ("investigating", "minor", messages_chat.AMBER),
        ("identified", "major", messages_chat.ORANGE),
        ("identified", "critical", messages_chat.RED),
        ("monitoring", "critical", messages_chat.BLUE),
        ("resolved", "critical", messages_chat.GREEN),
        ("scheduled", "maintenance", messages_chat.BLUE),
        ("in_progress", "major", messages_chat.BLUE),
        ("completed", "maintenance", messages_chat.GREEN),
    ],
)
def test_the_colour_follows_status_and_impact(status: str, impact: str, tone: str) -> None:
    assert messages_chat.color_of(status, impact) == tone


@pytest.mark.parametrize("channel", [*MARKDOWN_CHATS, Channel.SMS])
def test_a_text_that_is_too_long_is_cut_and_the_message_stays_in_the_chats_limits(
    page: Page, channel: str, receiver: Receiver
) -> None:
    make_chat(page, channel, receiver)
    make_incident(page, title="x" * 255, body="[" + "*a word* and others " * 1200 + "](https://example.com)")
    drain()
    body = receiver.requests[0].body
    limits = {Channel.TELEGRAM: 4500, Channel.SLACK: 4000, Channel.NTFY: 4096, Channel.SMS: 700}
    assert len(body) < limits.get(Channel(channel), 8000)
    assert Delivery.objects.get().state == "sent"
    if channel != Channel.SMS:
        assert "…" in json.dumps(receiver.requests[0].json, ensure_ascii=False)


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel not in ("email", "webhook")])
def test_a_test_message_arrives(page: Page, channel: str, receiver: Receiver) -> None:
    endpoint_messages.send_test(make_chat(page, channel, receiver), actor=ALICE)
    drain()
    assert b"Nothing is wrong" in receiver.requests[0].body.replace(b"+", b" ")
    assert Delivery.objects.get().state == "sent"


def test_telegram_is_called_by_the_bots_token_for_the_chat(page: Page, receiver: Receiver) -> None:
    sent_payload(page, Channel.TELEGRAM, receiver)
    (received,) = receiver.requests
    assert received.path == f"/telegram/bot{TOKEN}/sendMessage"
    assert received.json["chat_id"] == "-1001234567890"


def test_telegram_says_in_its_answer_how_long_to_wait(page: Page, receiver: Receiver) -> None:
    response = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 900}}
    receiver.reply = Reply(429, json.dumps(response).encode())
    make_chat(page, Channel.TELEGRAM, receiver)
    make_incident(page)
    drain()
    delivery = Delivery.objects.get()
    assert 880 < (delivery.next_attempt_at - delivery.created_at).total_seconds() < 930


@pytest.mark.parametrize(
    ("description", "state"),
    [("Bad Request: chat not found", "paused"), ("Bad Request: can't parse entities", "active")],
)
def test_telegram_says_400_of_a_chat_that_is_gone_and_of_a_text_that_it_cannot_read(
    page: Page, receiver: Receiver, description: str, state: str
) -> None:
    receiver.reply = Reply(400, json.dumps({"ok": False, "description": description}).encode())
    chat = make_chat(page, Channel.TELEGRAM, receiver)
    make_incident(page)
    drain()
    chat.refresh_from_db()
    assert chat.state == state


def test_an_ntfy_topic_is_published_to_with_its_token(page: Page, receiver: Receiver) -> None:
    sent_payload(page, Channel.NTFY, receiver)
    (received,) = receiver.requests
    assert (received.path, received.json["topic"]) == ("/", "acme-status")
    assert received.headers["authorization"] == "Bearer tk_1"


@pytest.mark.parametrize("channel", [Channel.SLACK, Channel.DISCORD, Channel.TEAMS, Channel.MATTERMOST, Channel.NTFY])
def test_a_deleted_chat_is_paused(page: Page, channel: str, receiver: Receiver) -> None:
    chat = make_chat(page, channel, receiver)
    receiver.reply = Reply(404, b"no_service")
    make_incident(page)
    drain()
    chat.refresh_from_db()
    assert (chat.state, chat.paused_reason) == ("paused", "404 no_service")


def sms(receiver: Receiver) -> list[str]:
    return [parse_qs(received.body.decode())["Body"][0] for received in receiver.requests]


def test_a_text_message_is_a_form_as_gateways_take_it(page: Page, receiver: Receiver) -> None:
    make_chat(page, Channel.SMS, receiver)
    incident = make_incident(page, title="API outage", body="We are **looking**.")
    drain()
    (received,) = receiver.requests
    assert received.path == "/Accounts/AC1/Messages.json"
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert base64.b64decode(received.headers["authorization"].removeprefix("Basic ")) == b"AC1:pass:word"
    url = f"https://status.example.com/incidents/{incident.public_id}"
    assert parse_qs(received.body.decode()) == {
        "To": ["+4915112345678"],
        "From": ["+15005550006"],
        "Body": [f"Acme: Investigating: API outage. We are looking. {url}"],
    }


def test_text_messages_tell_only_how_it_begins_and_ends(page: Page, receiver: Receiver) -> None:
    make_chat(page, Channel.SMS, receiver)
    incident = make_incident(page)
    post(incident, "identified")
    post(incident, "monitoring")
    incident_actions.resolve(incident, UpdateInput(body="Over."), restore=None, actor=ALICE)
    postmortem_lifecycle.publish(incident, body="What happened.", actor=ALICE)
    drain()
    assert [text.split(": ")[1] for text in sms(receiver)] == ["Investigating", "Resolved"]


@pytest.mark.parametrize(("character", "limit"), [("a", 306), ("я", 134), ("ä", 306), ("🔥", 134)])
def test_a_text_message_fits_into_two_and_its_link_is_whole(
    page: Page, receiver: Receiver, character: str, limit: int
) -> None:
    make_chat(page, Channel.SMS, receiver)
    incident = make_incident(page, title="Outage", body=f"{character * 20} " * 60)
    drain()
    (text,) = sms(receiver)
    assert len(text) <= limit
    assert text.endswith(f"... https://status.example.com/incidents/{incident.public_id}")


@pytest.mark.parametrize(
    ("channel", "endpoint", "secret", "field"),
    [
        ("slack", "hooks.slack.com/services/x", "", "endpoint"),
        ("slack", "https://10.0.0.1/x", "", "endpoint"),
        ("discord", "https://user:pw@discord.com/x", "", "endpoint"),
        ("telegram", "my chat", TOKEN, "endpoint"),
        ("telegram", "-100123", "AAE", "secret"),
        ("ntfy", "https://ntfy.example/", "", "endpoint"),
        ("ntfy", "https://ntfy.example/topic", "to ken", "secret"),
        ("sms", "015112345678", "", "endpoint"),
        ("sms", "+49 CALL ME", "", "endpoint"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_beside_its_field(
    channel: str, endpoint: str, secret: str, field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        ENDPOINT_TRANSPORTS[channel].clean_endpoint(endpoint, secret)
    assert list(refused.value.message_dict) == [field]


def test_numbers_may_be_typed_with_blanks() -> None:
    assert ENDPOINT_TRANSPORTS["sms"].clean_endpoint("+49 (151) 1234-5678", "") == ("+4915112345678", "")


def test_without_a_gateway_no_number_can_be_added(settings: Settings) -> None:
    settings.SMS_GATEWAY_URL = ""
    with pytest.raises(ValidationError, match="SMS_GATEWAY_URL"):
        ENDPOINT_TRANSPORTS["sms"].clean_endpoint("+4915112345678", "")
