"""Identifiers that receivers keep: never used again after a restored backup, unchanged by a new secret key."""

from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models
from pytest_django import Settings

from incidents.actions.components.component_lifecycle import set_status
from incidents.actor import SYSTEM
from incidents.models import Event, Incident, Page
from incidents.models.event_kinds import EventKind
from statuspage.accounts.models import AccountEmailKind, AccountEmailRequest, Role
from statuspage.dispatcher.loop import drain
from statuspage.notifications.fan_out import fan_out_waiting
from statuspage.notifications.messages.notification import read_notification
from statuspage.notifications.messages.return_path import delivery_token, row_of
from statuspage.notifications.messages.webhook import webhook_payload
from statuspage.notifications.models import Delivery
from statuspage.notifications.transports.webhook import signature_headers
from tests.factories import make_component, make_incident, make_subscriber, make_user
from tests.notifications.mailbox import mails_to
from tests.servers import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)


def lose(*tables: type[models.Model]) -> None:
    """Delete all rows, as a backup from before them does, so that their ids are given again."""
    for model in tables:
        model._default_manager.all().delete()
        sequences = [{"table": model._meta.db_table, "column": "id"}]
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_by_name_sql(no_style(), sequences):
                cursor.execute(statement)


def published(page: Page, **fields: Any) -> Delivery:
    make_incident(page, **fields)
    fan_out_waiting()
    return Delivery.objects.select_related("event", "incident", "subscriber").latest("pk")


def identity(delivery: Delivery) -> dict[str, str]:
    delivery.subscriber.secret = "whsec_c2VjcmV0"
    return {"webhook-id": signature_headers(delivery, b"")["webhook-id"], "token": delivery_token(delivery)}


def test_a_restored_backup_uses_no_message_id_and_no_thread_again(page: Page, sink: SmtpSink) -> None:
    lose(Delivery, Event, Incident)  # earlier tests have used the first ids
    make_subscriber(page, "ada@example.com")
    make_incident(page)
    drain()
    ids = Event.objects.latest("pk").pk, Incident.objects.latest("pk").pk, Delivery.objects.latest("pk").pk
    lose(Delivery, Event, Incident)
    make_incident(page)
    drain()
    assert not Delivery.objects.exists(), "nothing is sent until an operator decides"
    call_command("adopt_published", keep="database")
    drain()
    again = Event.objects.latest("pk").pk, Incident.objects.latest("pk").pk, Delivery.objects.latest("pk").pk
    assert ids == again, "the test is about ids that are given again"
    lost, new = mails_to(sink, "ada@example.com")
    assert lost["Message-ID"] != new["Message-ID"]
    assert lost["References"] != new["References"]


def test_a_restored_backup_uses_no_webhook_id_again(page: Page) -> None:
    make_subscriber(page, "ada@example.com")
    lost = identity(published(page))
    lose(Delivery, Event, Incident)
    new = identity(published(page))
    assert not set(lost.values()) & set(new.values())


def test_a_bounce_of_an_email_that_was_lost_does_not_count_against_another(page: Page) -> None:
    make_subscriber(page, "ada@example.com")
    lost = delivery_token(published(page))
    lose(Delivery, Event, Incident)
    new = published(page)
    assert row_of([lost]) is None
    assert row_of([delivery_token(new)]) == new


def test_emails_without_an_event_have_keys_of_their_own(page: Page, sink: SmtpSink) -> None:
    owner = make_user(Role.OWNER)
    for _ in range(2):
        AccountEmailRequest.objects.create(kind=AccountEmailKind.PASSWORD_RESET, address=owner.email)
        drain()
        lose(Delivery)
    sent = [message["Message-ID"] for message in mails_to(sink, owner.email)]
    assert len(set(sent)) == len(sent) == 2


def test_a_new_secret_key_changes_no_identifier(page: Page, sink: SmtpSink, settings: Settings) -> None:
    make_subscriber(page, "ada@example.com")
    make_incident(page)
    drain()
    before = identity(Delivery.objects.get())["webhook-id"]
    settings.SECRET_KEY = "another-key-" * 6
    assert identity(Delivery.objects.get())["webhook-id"] == before
    Delivery.objects.update(state="queued", sent_at=None)
    drain()
    first, second = mails_to(sink, "ada@example.com")
    assert first["Message-ID"] == second["Message-ID"]
    assert first["References"] == second["References"]


def test_the_id_of_a_component_update_is_not_used_again(page: Page) -> None:
    component = make_component(page, status="major_outage")
    lost = component_update_id()
    lose(Event)
    set_status(component, "degraded_performance", actor=SYSTEM)
    assert component_update_id() != lost


def component_update_id() -> str:
    event = Event.objects.filter(kind=EventKind.COMPONENT_STATUS).latest("pk")
    payload = webhook_payload(read_notification([event.pk])[event.pk], unsubscribe="")
    return str(payload["component_update"]["id"])
