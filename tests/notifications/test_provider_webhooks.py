"""Reports of mail providers over HTTP, in the shapes that they send."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from incidents.models import Page
from statuspage.notifications.bounces.provider_webhooks import _PARSERS
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.messages.return_path import delivery_token
from statuspage.notifications.models import Bounce, Delivery
from statuspage.subscribers.models import Subscriber
from tests.factories import make_incident, make_subscriber

pytestmark = pytest.mark.django_db

SECRET = "candor:a long secret"
SIGNING_KEY = "key-3ax6xnjp29jd6fds4gc373sgvjxteol0"


@pytest.fixture(autouse=True)
def subscriber(page: Page) -> Subscriber:
    return make_subscriber(page, "ada@example.com")


@pytest.fixture(autouse=True)
def _knobs(settings: Settings) -> None:
    settings.ANYMAIL_WEBHOOK_SECRET = SECRET
    settings.ANYMAIL_SIGNING_KEY = SIGNING_KEY


@pytest.fixture
def token(page: Page) -> str:
    """What the provider was given with the mail about an incident."""
    make_incident(page)
    fan_out_waiting()
    return delivery_token(Delivery.objects.get())


def report(settings: Settings, provider: str, payload: Any, *, secret: str = SECRET) -> int:
    settings.EMAIL_PROVIDER = provider
    credentials = base64.b64encode(secret.encode()).decode()
    headers = {"authorization": f"Basic {credentials}"} if secret else {}
    answer = Client(enforce_csrf_checks=True).post(
        f"/webhooks/email/{provider}/", json.dumps(payload), content_type="application/json", headers=headers
    )
    return answer.status_code


def state(subscriber: Subscriber) -> str:
    subscriber.refresh_from_db()
    return subscriber.state


def postmark(token: str, **more: Any) -> dict[str, Any]:
    return {
        "RecordType": "Bounce",
        "ID": 4323372036854775807,
        "Type": "HardBounce",
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "Metadata": {"candor": token},
        "MessageStream": "outbound",
        "Description": "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "ada@example.com",
        "From": "status@example.com",
        "BouncedAt": "2022-09-21T14:20:11Z",
        "DumpAvailable": True,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "[Acme] Investigating: API outage",
    } | more


def mailgun(token: str, **more: Any) -> dict[str, Any]:
    stamp, nonce = "1663770011", "50-character-token-of-mailgun-for-this-call-000000"
    signature = hmac.new(SIGNING_KEY.encode(), f"{stamp}{nonce}".encode(), hashlib.sha256).hexdigest()
    event = {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1663770011.1,
        "log-level": "error",
        "recipient": "ada@example.com",
        "recipient-domain": "example.com",
        "user-variables": {"candor": token},
        "tags": [],
        "message": {"headers": {"to": "ada@example.com", "message-id": "4711@example.com", "from": "a@example.com"}},
        "delivery-status": {
            "attempt-no": 1,
            "code": 550,
            "message": "5.1.1 The email account that you tried to reach does not exist",
            "description": "",
            "session-seconds": 0.43,
        },
    }
    return {"signature": {"token": nonce, "timestamp": stamp, "signature": signature}, "event-data": event | more}


def brevo(token: str, event: str, reason: str = "") -> dict[str, Any]:
    return {
        "event": event,
        "email": "ada@example.com",
        "id": 26224,
        "date": "2022-09-21 14:20:11",
        "ts": 1663770011,
        "ts_event": 1663770011,
        "ts_epoch": 1663770011223,
        "message-id": "<202209211420.60111@smtp-relay.mailin.fr>",
        "subject": "[Acme] Investigating: API outage",
        "X-Mailin-custom": json.dumps({"candor": token}),
        "sending_ip": "192.0.2.8",
        "reason": reason,
    }


def test_a_hard_bounce_at_postmark_pauses(settings: Settings, token: str, subscriber: Subscriber) -> None:
    assert report(settings, "postmark", postmark(token)) == 204
    assert state(subscriber) == "paused"
    assert subscriber.paused_reason == "smtp;550 5.1.1 The email account that you tried to reach does not exist."
    assert Bounce.objects.get().status == "5.1.1"


@pytest.mark.parametrize(
    ("more", "kind", "after"),
    [
        ({"Type": "SoftBounce", "Details": "smtp;550 5.2.1 over quota"}, "soft", "active"),
        ({"Type": "Blocked", "Details": "554 5.7.1 Your address is on a list"}, "policy", "active"),
        ({"Type": "BadEmailAddress", "Details": ""}, "hard", "paused"),
        ({"RecordType": "SpamComplaint", "Type": "SpamComplaint"}, "complaint", "unsubscribed"),
    ],
)
def test_postmark_tells_hard_soft_blocked_and_spam_apart(
    settings: Settings, token: str, subscriber: Subscriber, more: dict[str, str], kind: str, after: str
) -> None:
    assert report(settings, "postmark", postmark(token, **more)) == 204
    assert (Bounce.objects.get().kind, state(subscriber)) == (kind, after)


def test_who_unsubscribed_at_the_provider_has_left(settings: Settings, token: str, subscriber: Subscriber) -> None:
    change = {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    assert report(settings, "postmark", postmark(token, **change)) == 204
    assert state(subscriber) == "unsubscribed"
    assert not Bounce.objects.exists()


def test_a_permanent_failure_at_mailgun_pauses(settings: Settings, token: str, subscriber: Subscriber) -> None:
    assert report(settings, "mailgun", mailgun(token)) == 204
    assert state(subscriber) == "paused"


def test_mailgun_tells_temporary_failures_and_complaints_apart(
    settings: Settings, token: str, subscriber: Subscriber
) -> None:
    assert report(settings, "mailgun", mailgun(token, severity="temporary")) == 204
    assert state(subscriber) == "active"
    assert report(settings, "mailgun", mailgun(token, event="complained")) == 204
    assert state(subscriber) == "unsubscribed"


def test_a_call_that_mailgun_did_not_sign_is_refused(settings: Settings, token: str, subscriber: Subscriber) -> None:
    payload = mailgun(token)
    payload["signature"]["signature"] = "0" * 64
    assert report(settings, "mailgun", payload) == 403
    assert state(subscriber) == "active"


@pytest.mark.parametrize(
    ("event", "reason", "after"),
    [
        ("hard_bounce", "550 5.1.1 No such user", "paused"),
        ("hard_bounce", "", "paused"),
        ("soft_bounce", "550 5.1.1 No such user", "active"),
        ("spam", "", "unsubscribed"),
        ("blocked", "", "active"),
        ("delivered", "", "active"),
    ],
)
def test_brevo_tells_its_events_apart(
    settings: Settings, token: str, subscriber: Subscriber, event: str, reason: str, after: str
) -> None:
    assert report(settings, "brevo", brevo(token, event, reason)) == 204
    assert state(subscriber) == after


@pytest.mark.parametrize("secret", ["", "candor:wrong", "a long secret"])
def test_a_call_without_our_secret_is_refused(
    settings: Settings, token: str, subscriber: Subscriber, secret: str
) -> None:
    assert report(settings, "postmark", postmark(token), secret=secret) == 403
    assert state(subscriber) == "active"


@pytest.mark.parametrize("odd", ["", "x", "a" * 24, 7, None, {"a": 1}])
def test_a_report_about_no_mail_of_ours_changes_nothing(settings: Settings, subscriber: Subscriber, odd: Any) -> None:
    assert report(settings, "postmark", postmark(odd)) == 204
    assert state(subscriber) == "active"


@pytest.mark.parametrize("odd", [[], {}, "text", 7, None, {"RecordType": "Inbound"}, {"Metadata": []}])
@pytest.mark.parametrize("provider", sorted(_PARSERS))
def test_odd_calls_are_refused_or_ignored_and_never_an_error(
    settings: Settings, subscriber: Subscriber, provider: str, odd: Any
) -> None:
    assert report(settings, provider, odd) in (204, 400, 403)
    assert state(subscriber) == "active"


def test_without_a_secret_or_for_another_provider_there_is_no_such_page(settings: Settings, token: str) -> None:
    settings.EMAIL_PROVIDER = "brevo"
    assert Client().post("/webhooks/email/postmark/").status_code == 404
    settings.ANYMAIL_WEBHOOK_SECRET = ""
    assert report(settings, "postmark", postmark(token)) == 404


def test_a_provider_may_look_whether_anybody_is_there(settings: Settings) -> None:
    settings.EMAIL_PROVIDER = "brevo"
    assert Client().head("/webhooks/email/brevo/").status_code == 200
    assert Client().get("/webhooks/email/brevo/").status_code == 405


def test_every_provider_that_may_be_set_can_be_read(settings: Settings) -> None:
    assert set(_PARSERS) == set(settings.EMAIL_PROVIDERS)
